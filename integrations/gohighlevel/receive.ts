import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, Normalised, Receiver, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { readAppointment } from './appointments.ts';
import { type GoHighLevelConfig, goHighLevelConfig } from './config.ts';
import { isLead, readContact, readDeleted } from './contacts.ts';
import { readInbound, readOutbound, type Told } from './messages.ts';
import { setSwitches } from './switches.ts';
import { verifyHighLevel } from './verify.ts';

const contactTypes = ['ContactCreate', 'ContactUpdate', 'ContactDndUpdate', 'ContactTagUpdate'] as const;
const appointmentTypes = ['AppointmentCreate', 'AppointmentUpdate', 'AppointmentDelete'] as const;
const topics = ['InboundMessage', 'OutboundMessage', ...contactTypes, 'ContactDelete', ...appointmentTypes] as const;
type Topic = (typeof topics)[number];

const bodies = jsonReceiver({
  topics,
  readsHeaders: [],
  topicHeader: null,
  // HighLevel would repeat a refused delivery for hours, and pause a webhook that refuses many.
  answersUnreadable: 'accept',
  // `goHighLevelReceiver` checks the signature first: which key it is made with stands in the configuration.
  verify: () => null,

  dedupeKey({ raw }) {
    const id = fieldsOf(raw)['webhookId'];
    return typeof id === 'string' && id !== '' ? asDedupeKey(id) : null;
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const fields = readFields(body, 'body', notes);
    const type = cleanText(fields?.['type'], 100);
    if (fields === null || type === null) {
      if (fields !== null) note(notes, 'type', 'is missing or no text');
      return understood('unknown', [], notes, true);
    }
    const topic = topics.find((one) => one === type);
    return topic === undefined ? { kind: 'ignored', topic: type } : read(topic, fields, delivery, store, notes);
  },
});

/**
 * Webhooks of HighLevel: what people write, what is sent to them, and their contacts.
 * Source: marketplace.gohighlevel.com/docs/category/webhook
 */
export const goHighLevelReceiver: Receiver = {
  ...bodies,
  readsConfig: true,
  resolve: setSwitches,
  // An app has one address for all the locations in which it is installed.
  aboutAccount(delivery, secrets, store) {
    const config = configOf(store);
    const named = cleanText(fieldsOf(delivery.raw)['locationId'], 100);
    if (config === null || named === null || named === config.locationId) return null;
    return verifyHighLevel(delivery, secrets, config.webhookPublicKey) === 'signed' ? named : null;
  },
  receive(delivery, secrets, store) {
    const config = configOf(store);
    const verified = verifyHighLevel(delivery, secrets, config?.webhookPublicKey ?? '');
    if (verified !== 'signed' && verified !== 'by_token') return { kind: 'refused', reason: verified };
    // The token belongs to this location. A delivery that is only signed must name its location.
    if (verified === 'signed' && fieldsOf(delivery.raw)['locationId'] === undefined && config !== null)
      return bodies.receive(delivery, secrets, { ...store, config: null });
    return bodies.receive(delivery, secrets, store);
  },
};

function configOf({ config }: StoreContext): GoHighLevelConfig | null {
  return goHighLevelConfig.safeParse(config).data ?? null;
}

function fieldsOf(raw: Buffer): Fields {
  try {
    return readFields(JSON.parse(raw.toString('utf8').replace(/^\ufeff/, '')), 'body', []) ?? {};
  } catch {
    return {};
  }
}

function read(topic: Topic, fields: Fields, delivery: Delivery, store: StoreContext, notes: Notes): Normalised {
  const config = configOf(store);
  const locationId = cleanText(fields['locationId'], 100);
  // One key signs for every app of HighLevel's: who else has one may report about their own location, and nothing about this one.
  if (config === null || (locationId ?? config.locationId) !== config.locationId) return { kind: 'ignored', topic: `${topic} of another location` };
  const at = readInstant(fields['timestamp'] ?? fields['dateAdded'], 'timestamp', notes, store.timeZone);
  const occurred = occurredAt(at, null, notes, delivery.receivedAtMs);
  const ownUrls = [new URL(delivery.url).origin, ...(store.linkUrl == null ? [] : [store.linkUrl])].map((url) => url.replace(/\/+$/, ''));
  const events = eventsOf(topic, { fields, notes, store, occurred, locationId: config.locationId, ownUrls }, config);
  // Of our own messages, only what became of them is news.
  if (events.length === 0 && notes.length === 0) return { kind: 'ignored', topic };
  return understood(topic, events, notes, true);
}

function eventsOf(topic: Topic, told: Told, config: GoHighLevelConfig): DomainEvent[] {
  switch (topic) {
    case 'InboundMessage':
      return readInbound(told);
    case 'OutboundMessage':
      return readOutbound(told);
    case 'ContactDelete':
      return readDeleted(told);
    case 'AppointmentCreate':
    case 'AppointmentUpdate':
    case 'AppointmentDelete':
      return readAppointment(told, topic === 'AppointmentDelete', config);
    default:
      return readContact(told, isLead(config, topic, told.fields));
  }
}
