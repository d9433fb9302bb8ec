import type { DomainEvent } from '../../domain/events.ts';
import { readInstant } from '../read/instant.ts';
import { note, readFields } from '../read/notes.ts';
import { nobody } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { occurredAt } from '../read/understood.ts';
import { cleanText } from '../untrusted-text.ts';
import type { GoHighLevelConfig } from './config.ts';
import type { Told } from './messages.ts';

/** In these states nobody is expected. `showed` and `noshow` are of a viewing that was agreed. */
const off = ['cancelled', 'canceled', 'invalid'];

/**
 * An appointment in a calendar of the location. When it was changed last stands in it; the delivery may come much later.
 * Source: marketplace.gohighlevel.com/docs/webhook/AppointmentCreate
 */
export function readAppointment(
  { fields, notes, store, occurred }: Told,
  isDeleted: boolean,
  { leads }: Pick<GoHighLevelConfig, 'leads'>,
): DomainEvent[] {
  const appointment = readFields(fields['appointment'], 'appointment', notes);
  if (appointment === null) {
    note(notes, 'appointment', 'is missing');
    return [];
  }
  const id = readId(appointment['id'], 'appointment.id', notes);
  const contactId = readId(appointment['contactId'], 'appointment.contactId', notes);
  // A time that somebody has blocked in a calendar has no contact.
  if (id === null || contactId === null) return [];
  const changed = readInstant(appointment['dateUpdated'] ?? appointment['dateAdded'], 'appointment.dateUpdated', notes, store.timeZone);
  const status = cleanText(appointment['appointmentStatus'] ?? appointment['appoinmentStatus'], 40)?.toLowerCase() ?? 'confirmed';
  return [
    {
      type: 'viewing.reported',
      // A deletion changes nothing in the appointment.
      ...(isDeleted ? occurred : occurredAt(changed, null, notes, occurred.occurredAtMs)),
      // Who may be a lead by this connection may become one in a moment: the booking page of a calendar makes both at once.
      keys: leads === undefined ? [] : [{ kind: 'lead', value: contactId }],
      person: { ...nobody, externalId: contactId },
      viewing: { id, isOff: isDeleted || off.includes(status) },
    },
  ];
}
