import { z } from 'zod';
import { scriptChannels, scriptName } from '../../../operations/scripts/scripts.ts';
import { lineField, timeField } from '../../routes/fields.ts';

/** `SMS` is the same as `sms`. */
export const channelField = z
  .preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(scriptChannels))
  .meta({ description: 'Which messages it is for.' });

const words = z.string().max(262_144);
const fields = {
  name: z
    .string()
    .regex(scriptName, 'is no name: lower-case letters, digits, dashes and underscores, a letter first, at most 60')
    .meta({ description: 'By which steps name it.' }),
  content: words.meta({
    description: 'Its words, as in a file of that channel: Liquid with `{{ firstName }}` and the like, before it front matter.',
  }),
  translations: z.record(z.string().max(35), words).meta({ description: 'The same in other languages, by BCP 47.' }),
  campaign: z.uuid().nullable().meta({ description: 'The campaign whose own it is: for its leads it goes before defaults.' }),
  isDefault: z.boolean().meta({
    description:
      'It goes out in every step of its channel that names no script and whose campaign has none, in the place of the step’s own text. There is one: the one before stays, and is the default no more.',
  }),
  call: z
    .strictObject({
      assistant: lineField(100).optional(),
      phoneNumber: lineField(100).optional(),
      maxSeconds: z.int().min(10).max(3_600).optional(),
    })
    .nullable()
    .meta({ description: 'How calls by it are made. What it leaves out is the campaign’s, then the connection’s.' }),
};

export const createBody = z.strictObject({
  ...fields,
  channel: channelField,
  about: z.string().max(40).default('lead').meta({ description: 'What it is about, `lead` or `cart`: which variables it has.' }),
  translations: fields.translations.default({}),
  isDefault: fields.isDefault.default(false),
  campaign: fields.campaign.optional(),
  call: fields.call.optional(),
});

export const changeBody = z.strictObject(fields).partial();

export const scriptSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    channel: z.enum(scriptChannels),
    about: z.string(),
    content: z.string(),
    translations: z.record(z.string(), z.string()),
    campaign: z.uuid().nullable(),
    isDefault: z.boolean(),
    call: z.record(z.string(), z.unknown()).nullable(),
    createdAt: timeField,
    changedAt: timeField,
    changedBy: z.string(),
  })
  .meta({ id: 'Script' });
