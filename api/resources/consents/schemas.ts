import { z } from 'zod';
import type { ConsentRow } from '../../../operations/read/consents.ts';
import { isoTime, timeField } from '../../routes/fields.ts';

export const consentSchema = z
  .object({
    id: z.uuid(),
    contact_id: z.uuid(),
    channel: z.string().meta({ description: '`all`: every channel.' }),
    purpose: z.string(),
    state: z.enum(['granted', 'denied']),
    source: z.string(),
    basis: z.string().nullable().meta({ description: '`person`: their own act. `record`: the shop’s record. `box`: a box that was ticked.' }),
    wording: z.string().nullable().meta({ description: 'The exact sentence that they agreed to.' }),
    wording_version: z.string().nullable(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    url: z.string().nullable().meta({ description: 'The page on which it was given.' }),
    stated_at: timeField,
    recorded_at: timeField,
  })
  .meta({ id: 'Consent' });

export function presentConsent(row: ConsentRow): z.input<typeof consentSchema> {
  const proof = (name: string) => (typeof row.proof[name] === 'string' ? row.proof[name] : null);
  return {
    id: row.id,
    contact_id: row.contactId,
    channel: row.channel,
    purpose: row.purpose,
    state: row.state,
    source: row.source,
    basis: row.basis,
    wording: row.wording,
    wording_version: proof('wordingVersion'),
    ip: proof('ip'),
    user_agent: proof('userAgent'),
    url: proof('url'),
    stated_at: isoTime(row.occurredAt),
    recorded_at: isoTime(row.createdAt),
  };
}
