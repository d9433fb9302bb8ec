import type { z } from 'zod';
import type { SetAside } from '../../../operations/read/quarantine.ts';
import { isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import type { replaySchema, setAsideSchema } from './schemas.ts';

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
    state: d.state,
    released_at: d.state === 'released' ? isoTimeOrNull(d.closedAtMs) : null,
    dismissed: d.dismissed === null ? null : { at: isoTime(d.dismissed.atMs), by: d.dismissed.by, reason: d.dismissed.reason },
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
