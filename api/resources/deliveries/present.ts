import type { z } from 'zod';
import type { DeliveryView } from '../../../operations/read/deliveries.ts';
import { isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import type { deliverySchema } from './schemas.ts';

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
