import type { z } from 'zod';
import type { DeliveryView } from '../../../operations/read/deliveries.ts';
import type { SetAside } from '../../../operations/read/quarantine.ts';
import { isoTime, isoTimeOrNull } from '../fields.ts';
import type { deliverySchema, replaySchema, setAsideSchema } from './schemas.ts';

export function presentDelivery(d: DeliveryView): z.input<typeof deliverySchema> {
  return {
    id: d.id,
    integration: d.integration,
    connection: d.connectionId,
    delivery_id: d.deliveryId,
    topic: d.topic,
    state: d.state,
    notes: d.notes,
    received_at: isoTime(d.receivedAtMs),
    applied_at: isoTimeOrNull(d.appliedAtMs),
  };
}

export function presentSetAside(d: SetAside): z.input<typeof setAsideSchema> {
  return {
    id: d.id,
    integration: d.integration,
    connection: d.connectionId,
    delivery_id: d.deliveryId,
    topic: d.topic,
    reason: d.reason,
    fields: d.fields,
    may_be_stop: d.mayBeStop,
    received_at: isoTime(d.receivedAtMs),
    released_at: isoTimeOrNull(d.releasedAtMs),
  };
}

const details = {
  applied: 'It was read and has taken effect.',
  still_unreadable: 'It still cannot be read; nothing was changed.',
  already_released: 'It had been released before; nothing was changed.',
} as const;

export function presentReplay(id: string, result: keyof typeof details, reason: string | null): z.input<typeof replaySchema> {
  return { id, result, detail: result === 'still_unreadable' && reason !== null ? `${details[result]} ${reason}` : details[result] };
}
