import { z } from 'zod';
import { runningChoices } from '../../../operations/versions/publish.ts';
import { noteField, timeField } from '../../routes/fields.ts';

export const slugParams = z.object({ slug: z.string().max(100) });
export const versionParams = slugParams.extend({ version: z.string().regex(/^\d{1,9}$/, 'is no version: it is a number') });

export const sequenceSchema = z
  .object({
    id: z.uuid(),
    slug: z.string(),
    name: z.string(),
    about: z
      .string()
      .nullable()
      .meta({ description: 'What its version in use is about; null: nothing was published.', examples: ['cart', 'lead'] }),
    status: z.enum(['DRAFT', 'ACTIVE', 'ARCHIVED']).meta({ description: '`DRAFT`: nothing was published. `ARCHIVED`: nobody is taken in any more.' }),
    paused: z.boolean().meta({ description: 'Nothing of it is sent and nobody is taken in. No due time moves.' }),
    version: z.int().nullable().meta({ description: 'What new enrollments get; null: nothing was published.' }),
    has_draft: z.boolean(),
    open_enrollments: z.int(),
  })
  .meta({ id: 'Sequence' });

export const versionSchema = z
  .object({
    version: z.int(),
    published_at: timeField,
    published_by: z.string().nullable().meta({ description: 'null: it came with the installation.' }),
    open_enrollments: z.int(),
    running: z
      .object({ choice: z.enum(runningChoices), to: z.int().nullable(), reason: z.string().nullable() })
      .meta({ description: 'What becomes of those on it at their next decision.' }),
  })
  .meta({ id: 'SequenceVersion' });

export const definitionSchema = z
  .object({ version: z.int(), definition: z.record(z.string(), z.unknown()).meta({ description: 'As it is compiled: spans in milliseconds.' }) })
  .meta({ id: 'SequenceDefinition' });

export const draftBody = z.strictObject({
  yaml: z.string().max(262_144).meta({ description: 'The sequence, as in its file.' }),
  copy: z.record(z.string().max(200), z.string().max(262_144)).default({}).meta({
    description:
      'Texts by content name (`cart/email_2h`, `cart/email_2h.sms`; in German `cart/email_2h.de`), as in their files. What is missing is taken from the version in use, with the translations of texts that are not changed; an empty text takes a translation away.',
  }),
});

const findingSchema = z
  .object({ line: z.int(), column: z.int(), rule: z.string(), severity: z.enum(['error', 'warning']), message: z.string() })
  .meta({ id: 'LintFinding' });

export const draftSchema = z
  .object({
    slug: z.string(),
    yaml: z.string(),
    copy: z.record(z.string(), z.string()),
    source_hash: z.string().meta({ description: 'Changes with every change of the draft.' }),
    changed_by: z.string(),
    changed_at: timeField,
    findings: z.array(findingSchema).meta({ description: 'What `rekindle lint` says about it. With an error among them it cannot be published.' }),
  })
  .meta({ id: 'SequenceDraft' });

const anything = z.unknown().meta({ description: 'Any JSON; null: it was or is left out.' });
const fieldSchema = z.object({ field: z.string(), before: anything, after: anything }).meta({ id: 'FieldChange' });
const change = z.enum(['added', 'removed', 'changed']);
const heads = {
  before: z.int().meta({ description: 'Open enrollments that have it before them. Of an added step: that would get it if they were moved.' }),
  at: z.int().meta({ description: 'Open enrollments that wait for it.' }),
  past: z.int().meta({ description: 'Open enrollments that are past it.' }),
};

export const previewSchema = z
  .object({
    base_version: z.int().meta({ description: 'The version in use, which `publish` must name; 0: none.' }),
    draft: draftSchema,
    steps: z.array(z.object({ step: z.string(), change, fields: z.array(fieldSchema), ...heads })),
    texts: z.array(z.object({ name: z.string(), change })),
    settings: z.array(fieldSchema),
    open_enrollments: z.int(),
    movable: z.int().meta({ description: 'Of these, how many would move: the others have no step in common with the draft, and stay.' }),
    choice_needed: z
      .array(z.object({ step: z.string(), waiting: z.int() }))
      .meta({ description: 'Removed steps that somebody waits for: `publish` is refused without `running`.' }),
  })
  .meta({ id: 'PublishPreview' });

const base_version = z
  .int32()
  .min(0)
  .meta({ description: 'The version in use that you have seen; 0: none. 409 where another one is in use by now.' });
const running = z.enum(runningChoices).optional().meta({
  description:
    'What becomes of those who are in the sequence. `stay`, unless said otherwise: they keep their version. `move`: at their next decision they go on in the new one, behind the steps that they have had. `exit`: they end as `version_replaced`.',
});

export const publishBody = z.strictObject({
  base_version,
  draft: z.string().max(100).optional().meta({ description: 'The `source_hash` that you have seen: 409 where the draft was changed meanwhile.' }),
  running,
});

export const activateBody = publishBody.partial().nullish();

export const rollbackBody = z.strictObject({
  to: z.int32().min(1).meta({ description: 'The version whose content is published again.' }),
  base_version,
  running,
});

export const publishedSchema = z
  .object({ sequence: sequenceSchema, version: z.int(), open_enrollments: z.int().meta({ description: 'When it was published.' }) })
  .meta({ id: 'Published' });

const stepEndSchema = z
  .object({ kind: z.enum(['sent', 'skipped']), reason: z.string().meta({ description: 'Of `sent`, the channel.' }), after_seconds: z.number() })
  .meta({ id: 'StepEnd' });

export const shadowSchema = z
  .object({
    version: z.int(),
    started_at: timeField,
    ended_at: timeField.nullable().meta({ description: 'null: it runs.' }),
    runs: z.object({
      all: z.int().meta({ description: 'Enrollments beside which it has decided.' }),
      ended: z.int(),
      compared: z.int().meta({ description: 'The latest 1,000 at most.' }),
      same: z.int().meta({ description: 'Of these, how many came out as their rehearsal.' }),
    }),
    verdicts: z.array(z.object({ verdict: z.enum(['send', 'defer', 'hold', 'skip', 'stop']), reason: z.string(), count: z.int() })),
    differences: z
      .array(
        z.object({
          enrollment: z.uuid().meta({ description: 'The real one beside which it ran.' }),
          step: z.string(),
          shadow: stepEndSchema.nullable().meta({ description: 'What it came to; null: the run ended before.' }),
          rehearsed: stepEndSchema.nullable(),
          why: z.string().nullable().meta({ description: 'What the gate said that decided.' }),
          ended_as: z.string().nullable(),
        }),
      )
      .meta({ description: 'Steps that came out otherwise than in the rehearsal made when the run began: of the latest runs, 100 at most.' }),
  })
  .meta({ id: 'Shadow' });

export const stateBody = z.strictObject({ note: noteField.optional().meta({ description: 'Why, for the audit log.' }) }).nullish();
