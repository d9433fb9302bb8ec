import { z } from 'zod';
import { roleNames } from '../../../operations/access.ts';
import type { ApiKeyView, KeyWish } from '../../../operations/api-keys.ts';
import { isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList } from '../list.ts';

export const keySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().nullable().meta({ description: 'How it begins; null: it was made before beginnings were kept.' }),
    role: z.enum(roleNames),
    created_at: timeField,
    expires_at: timeField.nullable().meta({ description: 'It opens nothing from then on.' }),
    requests_per_minute: z.int().nullable().meta({ description: 'null: as many as `requestsPerMinute` of the settings says.' }),
    last_used_at: timeField.nullable().meta({ description: 'To the minute; null: never.' }),
    revoked_at: timeField.nullable(),
  })
  .meta({ id: 'ApiKey' });

export const newKeySchema = z.object({ id: z.uuid(), api_key: z.string().meta({ description: 'Shown once.' }) }).meta({ id: 'NewApiKey' });

export const keyWish = z.strictObject({
  name: lineField(120).meta({ description: 'Which program or person it is for.' }),
  role: z.enum(roleNames).default('owner').meta({
    description: 'What it may: a `viewer` sees, an `agent` works with people, an `editor` changes what is sent, an `admin` how the store works.',
  }),
  requests_per_minute: z
    .int()
    .min(1)
    .max(600_000)
    .optional()
    .meta({ description: 'How many requests it may make in a minute; left out: as many as the settings say.' }),
  expires_at: z.iso.datetime({ offset: true }).optional().meta({ description: 'It opens nothing from then on; left out, it does not expire.' }),
});

export const keyList = aList({ name: 'keys', first: 'oldest', fields: { last_used_at: 'time' }, item: keySchema, filters: {} });

export const wishOf = ({ name, role, expires_at, requests_per_minute }: z.output<typeof keyWish>): KeyWish => ({
  name,
  role,
  expiresAtMs: expires_at === undefined ? null : Date.parse(expires_at),
  requestsPerMinute: requests_per_minute ?? null,
});

export const presentKey = (k: ApiKeyView): z.input<typeof keySchema> => ({
  ...{ id: k.id, name: k.name, prefix: k.prefix, role: k.role },
  created_at: isoTime(k.createdAtMs),
  expires_at: isoTimeOrNull(k.expiresAtMs),
  requests_per_minute: k.requestsPerMinute,
  last_used_at: isoTimeOrNull(k.lastUsedAtMs),
  revoked_at: isoTimeOrNull(k.revokedAtMs),
});
