import { claimNames } from '../claims/index.ts';
import { replyPolicies } from '../people/on-reply.ts';
import { z } from 'zod';
import { type Channel, channelNames, isChannel } from '../channels/index.ts';
import { ghostedAfterMs, isAboutGhost, isAboutSilence, isAboutSilentLead, silentAfterMs } from '../people/silence.ts';
import { interventionBands, riskEntered } from '../risk/band-move.ts';
import type { AnySubjectKind, SubjectKinds } from '../subjects/index.ts';
import { triggersOf } from '../subjects/kind.ts';
import { weekdays } from '../time/weekly-window.ts';
import { mostHeldOut } from '../experiments/arm.ts';
import { fewestVariants, mostVariants } from '../experiments/variant.ts';
import { conditionRef } from './condition-json-schema.ts';
import { readCondition } from './condition-reader.ts';
import { failurePolicies, type ModelCopy, type StepOffer, stepTaskKinds } from './definition.ts';
import { parseDuration } from './duration.ts';
import { bulk, kindOfSequence, manual, startsByItself, triggersToCome } from './triggers.ts';
import { stopTriggers, whenCapped } from './plan.ts';

/** The wording of a field that is absent or of the wrong kind: what to write instead. */
const expected = (what: string) => ({
  error: ({ input }: { input?: unknown }) => (input === undefined ? `is missing: write ${what}` : `is not understood: write ${what}`),
});

/** The wording of a field that will have more values one day. */
const unavailable = (only: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined ? `is missing: write ${only}` : `is not available yet: write ${only}, the only one so far`,
});

// `meta` is what editors show and check (domain/sequence/json-schema.ts): of what a transformation reads, the schema itself says nothing.

const spanPattern = '^[0-9]{1,9}[smhd]$';
const span = z
  .string(expected('a span such as 30m, 2h or 3d'))
  .transform((text, context) => {
    const spanMs = parseDuration(text);
    if (spanMs !== null) return spanMs;
    context.addIssue({ code: 'custom', message: `is no span (\`${text}\`): write a whole number and s, m, h or d, such as 30m, 2h or 3d` });
    return z.NEVER;
  })
  .meta({ pattern: spanPattern });

const stepId = z
  .string(expected('a name such as email_2h'))
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'is no step id: lower-case letters, digits and underscores, a letter first, at most 40')
  // Progress is kept under step ids in plain objects.
  .refine((id) => !(id in Object.prototype), 'is a reserved word: choose another id');

const contentName = /^[a-z0-9][a-z0-9_-]*(\/[a-z0-9][a-z0-9_-]*)+$/;
const content = z
  .unknown()
  .transform((value, context): string => {
    if (typeof value === 'string' && contentName.test(value)) return value;
    const written = typeof value === 'object' && value !== null && 'model' in value;
    const message = written
      ? 'by a model stands in `content`, of the step or of a variant, not among `texts`: name a text such as cart/email_2h'
      : 'is not understood: write the name of a text such as cart/email_2h';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ type: 'string', pattern: contentName.source });

/** How long before a step is due a model is asked, where the file says nothing. */
const usualAheadMs = 30 * 60_000;
const namedText = z.string(expected('the name of a text such as cart/email_2h')).regex(contentName, 'is no name of a text such as cart/email_2h');
const modelContent = z.strictObject({
  model: namedText.meta({ description: 'The brief from which a model writes it: cart/email_2h is cart/email_2h.brief.yaml.' }),
  fallback: namedText.meta({ description: 'The text that goes out where the model’s does not.' }),
  ahead: span.optional().meta({ description: 'How long before the step is due the model is asked; 30m where it is left out.' }),
});

const stepContent = z
  .unknown()
  .transform((value, context): { text: string; model?: ModelCopy } => {
    if (typeof value === 'string' && contentName.test(value)) return { text: value };
    if (typeof value !== 'object' || value === null) {
      context.addIssue({ code: 'custom', message: 'is not understood: write the name of a text such as cart/email_2h' });
      return z.NEVER;
    }
    const read = modelContent.safeParse(value);
    if (read.success) return { text: read.data.fallback, model: { brief: read.data.model, aheadMs: read.data.ahead ?? usualAheadMs } };
    for (const issue of read.error.issues) {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : null;
      if (keys === null) context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
      else
        for (const key of keys) context.addIssue({ code: 'custom', path: [key], message: 'is not a field here: check its spelling, or remove it' });
    }
    return z.NEVER;
  })
  .meta({
    anyOf: [
      { type: 'string', pattern: contentName.source },
      {
        type: 'object',
        properties: {
          model: { type: 'string', pattern: contentName.source },
          fallback: { type: 'string', pattern: contentName.source },
          ahead: { type: 'string', pattern: spanPattern },
        },
        required: ['model', 'fallback'],
        additionalProperties: false,
      },
    ],
  });

const condition = z
  .unknown()
  .transform((value, context) => {
    const read = readCondition(value, (path, message) => context.addIssue({ code: 'custom', path, message }));
    return read ?? z.NEVER;
  })
  .meta({ $ref: conditionRef });

// Asked when a file is read: a channel may have been added to the registry since this module was loaded.
const channel = z
  .custom<Channel>((name) => typeof name === 'string' && isChannel(name), {
    error: (issue) => expected(`one of ${channelNames.join(', ')}`).error(issue),
  })
  .meta({ enum: channelNames });
const timeOfDay = z
  .string(expected('a time of day such as 09:00'))
  .transform((text, context) => {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? (text === '24:00' ? [text, '24', '00'] : []);
    if (hours !== undefined && minutes !== undefined) return Number(hours) * 60 + Number(minutes);
    context.addIssue({ code: 'custom', message: `is no time of day (\`${text}\`): write it from 00:00 to 24:00, such as 09:00` });
    return z.NEVER;
  })
  .meta({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' });

/** Hours, days or both; what is left out is not restricted. */
const sendWindow = z.strictObject(
  {
    from: timeOfDay.default(0),
    to: timeOfDay.default(24 * 60),
    days: z
      .array(z.enum(weekdays, expected(`one of ${weekdays.join(', ')}`)), expected('a list of days such as [mon, tue]'))
      .min(1, 'names no day')
      .default([...weekdays]),
  },
  expected('{ from: "09:00", to: "17:00", days: [mon, tue, wed, thu, fri] }'),
);

/** What a file calls the events that a step may react to. */
export const reactionEvents = { 'message.opened': 'opened', 'message.clicked': 'clicked', 'contact.asked_later': 'asked_later' } as const;
export type ReactionEvent = keyof typeof reactionEvents;
const eventNames = Object.keys(reactionEvents) as ReactionEvent[];

const reaction = z
  .strictObject(
    {
      event: z.enum(eventNames, expected(eventNames.join(', ').replace(/, ([^,]+)$/, ' or $1'))),
      step: stepId.optional().meta({ description: 'The earlier step whose message is opened or clicked.' }),
      within: span.optional().meta({ description: 'How long after the message an open or a click counts; 72h where it is left out.' }),
    },
    expected('{ event: message.opened, step: email_2h }'),
  )
  .meta({ description: 'What it reacts to: it is inserted once, when that has happened.' });

/** A channel alone is a list of one. */
const channelList = z.preprocess(
  (value) => (value === undefined || Array.isArray(value) ? value : [value]),
  z.array(channel, expected('a channel or a list of channels')).min(1, 'names no channel'),
);
const channelForms = [{ enum: channelNames }, { type: 'array' as const, items: { enum: channelNames }, minItems: 1 }];

const readOffer = (value: unknown): StepOffer | null => {
  if (value === true) return { without: 'send' };
  const read = z.strictObject({ without: z.enum(['send', 'skip']) }).safeParse(value);
  return read.success ? read.data : null;
};
const offerForms = [
  { const: true },
  { type: 'object' as const, properties: { without: { enum: ['send', 'skip'] } }, required: ['without'], additionalProperties: false },
];
const offer = z
  .unknown()
  .transform((value, context): StepOffer => {
    const read = readOffer(value);
    if (read !== null) return read;
    context.addIssue({ code: 'custom', message: 'is not understood: write true or { without: skip }' });
    return z.NEVER;
  })
  .meta({
    description:
      'Whether it brings a discount code where the store’s policy grants one; `without`: what becomes of it otherwise, send (default) or skip.',
    anyOf: offerForms,
  });
const variantOffer = z
  .unknown()
  .transform((value, context): StepOffer | false => {
    const read = value === false ? value : readOffer(value);
    if (read !== null) return read;
    context.addIssue({ code: 'custom', message: 'is not understood: write true, { without: skip } or false' });
    return z.NEVER;
  })
  .meta({ description: 'As a step’s; false: it brings none, though the step does.', anyOf: [{ const: false }, ...offerForms] });

const variant = z.strictObject(
  {
    id: z
      .string(expected('a name such as a'))
      .regex(/^[a-z0-9][a-z0-9_]{0,19}$/, 'is no name of a variant: lower-case letters, digits and underscores, at most 20'),
    content: stepContent.meta({ description: 'Its text, or the brief of one that a model writes.' }),
    weight: z
      .int(expected('a whole number such as 1'))
      .min(1, 'must be 1 at least')
      .max(1_000, 'must be 1000 at most')
      .default(1)
      .meta({ description: 'Its share, in proportion to the others’.' }),
    later: span.optional().meta({ description: 'How long after the step is due this variant goes out; when it is due where it is left out.' }),
    channel: channelList
      .optional()
      .meta({ description: 'How it goes out, as a step’s; as the step says where it is left out.', anyOf: channelForms }),
    offer: variantOffer.optional(),
  },
  expected('{ id: a, content: cart/email_2h, weight: 1 }'),
);

const compared = z.enum(['test', 'bandit'], expected('test or bandit'));
const howCompared =
  '`test`, or left out: by fixed shares, until one is better for certain. `bandit`: more people get what brings more, and nothing is judged.';

const arm = z.strictObject({ id: variant.shape.id, weight: variant.shape.weight }, expected('{ id: short, weight: 1 }'));

/** A script's name, as steps and the API write it. */
export const scriptName = /^[a-z][a-z0-9_-]{0,59}$/;

const step = z.strictObject(
  {
    id: stepId,
    on: reaction.optional(),
    at: span.optional().meta({ description: 'When it is due: so long after the anchor.' }),
    after: span.optional().meta({ description: 'When it is due: so long after the step before, or after what it reacts to.' }),
    channel: channelList.meta({
      description: 'How it goes out; of a list, the first channel that is possible. `none` only marks the time.',
      anyOf: channelForms,
    }),
    content: stepContent.optional().meta({ description: 'The text, such as cart/email_2h, or the brief of one that a model writes.' }),
    variants: z
      .array(variant, expected('a list such as [{ id: a, content: cart/email_2h }, { id: b, content: cart/email_2h_b }]'))
      .min(fewestVariants, `needs ${fewestVariants} at least: one content stands in \`content\``)
      .max(mostVariants, `is too long: ${mostVariants} at most`)
      .optional()
      .meta({ description: 'Contents, times, channels or offers that are compared by chance, in place of `content`.' }),
    compare: compared.optional().meta({ description: `How the variants are compared. ${howCompared}` }),
    texts: z
      .array(content, expected('a list of texts such as [silent-lead/checkin_a, silent-lead/checkin_b]'))
      .min(fewestVariants, `needs ${fewestVariants} at least: one text stands in \`content\``)
      .max(mostVariants, `is too long: ${mostVariants} at most`)
      .optional()
      .meta({ description: 'Texts for variety, in place of `content`: one by chance, and none twice to one person while another is unused.' }),
    script: z
      .string(expected('the name of a script, own or chosen'))
      .regex(scriptName, 'is no name of a script: lower-case letters, digits, dashes and underscores, a letter first, at most 60')
      .optional()
      .meta({
        description:
          'The script whose text goes out; `own`: always the step’s own text; `chosen`, or left out: the campaign’s own script, else the default of the channel.',
      }),
    when: condition.optional(),
    requires: z
      .strictObject({ claim: z.enum(claimNames, expected(`one of ${claimNames.join(', ')}`)) }, expected('{ claim: stock }'))
      .optional()
      .meta({ description: 'The claim that is the point of the step: it is left out where this cannot be claimed.' }),
    lapsesWith: stepId.optional().meta({ description: 'A later step, at whose due time this one lapses.' }),
    expires: span.optional().meta({ description: 'How long after its due time it may still be sent.' }),
    window: sendWindow.optional().meta({ description: 'The hours and days at which it goes out, on the person’s clock.' }),
    bestHour: z
      .boolean(expected('true or false'))
      .optional()
      .meta({ description: 'Whether it waits for the hour at which the person reads emails; by default as the sequence says.' }),
    offer: offer.optional(),
    task: z
      .strictObject(
        {
          kind: z.enum(stepTaskKinds, expected(`one of ${stepTaskKinds.join(', ')}`)),
          note: z.string(expected('what to do')).trim().min(1, 'is empty').max(500, 'is too long: 500 characters at most').optional(),
          skill: z.string(expected('a skill')).trim().min(1, 'is empty').max(60, 'is too long: 60 characters at most').optional(),
        },
        expected('{ kind: agent_call, note: … }'),
      )
      .optional()
      .meta({ description: 'Of the channel `task`: what a colleague is to do.' }),
    maxRetries: z
      .int(expected('a whole number'))
      .min(0, 'must not be negative')
      .max(10, 'must be 10 at most')
      .default(3)
      .meta({ description: 'How often a refused message is tried again on a channel.' }),
    onFailure: z
      .enum(failurePolicies, expected(`one of ${failurePolicies.join(', ')}`))
      .default('skip')
      .meta({ description: 'What follows when the provider keeps refusing.' }),
  },
  expected('a step: { id, at, channel, content }'),
);

const cooldown = z.strictObject({ cooldown: span });
const reentry = z
  .unknown()
  .transform((value, context) => {
    if (value === 'once-per-subject' || value === 'once-per-silence' || value === 'once-per-entry') return value;
    const read = cooldown.safeParse(value);
    if (read.success) return { cooldownMs: read.data.cooldown };
    context.addIssue({ code: 'custom', message: 'is not understood: write once-per-subject, once-per-silence, once-per-entry or { cooldown: 30d }' });
    return z.NEVER;
  })
  .meta({
    description: 'Who may go through it again.',
    anyOf: [
      { enum: ['once-per-subject', 'once-per-silence', 'once-per-entry'] },
      { type: 'object', properties: { cooldown: { type: 'string', pattern: spanPattern } }, required: ['cooldown'], additionalProperties: false },
    ],
  });

const holdout = z
  .unknown()
  .transform((value, context) => {
    if (value === 0) return 0;
    const written = typeof value === 'string' ? /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(value) : null;
    const percent = Number(written?.[1]);
    if (percent <= mostHeldOut) return percent;
    const message =
      written === null ? 'is not understood: write a share such as 10%' : `is too large: at most ${mostHeldOut}%, so that most people get something`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({
    description: 'The share of people who get nothing, so that the effect can be measured.',
    anyOf: [{ const: 0 }, { type: 'string', pattern: '^([0-4]?[0-9](\\.[0-9]{1,4})?|50(\\.0{1,4})?)%$' }],
  });

/**
 * The shape of a sequence file, its defaults, and what it may ask for today. Rules across fields: `findMistakes`.
 * @param kinds - what a sequence may be about: each brings its trigger and the defaults of its sequences
 */
export function sequenceSchemaFor(kinds: SubjectKinds) {
  const triggers = [...kinds.all.flatMap(triggersOf).filter((on) => !Object.hasOwn(triggersToCome, on)), manual, bulk];
  return z
    .strictObject(
      {
        sequence: z
          .string(expected('a slug such as cart'))
          .regex(/^[a-z][a-z0-9-]{0,39}$/, 'is no slug: lower-case letters, digits and hyphens, a letter first, at most 40'),
        name: z
          .string(expected('a name for people'))
          .trim()
          .min(1, 'is empty: write a name for people')
          .max(80, 'is too long: 80 characters at most'),
        description: z.string(expected('a sentence for people')).trim().max(1_000, 'is too long: 1000 characters at most').optional(),
        on: z
          .custom<string>((name) => typeof name === 'string' && triggers.includes(name), {
            error: ({ input }) => {
              const write = `write ${triggers.length === 1 ? '' : 'one of '}${triggers.join(', ')}`;
              if (input === undefined) return `is missing: ${write}`;
              if (typeof input !== 'string' || !Object.hasOwn(triggersToCome, input)) return `is not understood: ${write}`;
              return `(${input}) is not available yet: ${triggersToCome[input] ?? ''}. Now, ${write}`;
            },
          })
          .meta({ description: 'What starts it.', enum: triggers }),
        about: z
          .enum(
            kinds.all.map(({ kind }) => kind),
            expected(
              kinds.all
                .map(({ kind }) => kind)
                .join(', ')
                .replace(/, ([^,]*)$/u, ' or $1'),
            ),
          )
          .optional()
          .meta({ description: 'What a manual or bulk sequence is about.' }),
        band: z
          .enum(interventionBands, expected(`one of ${interventionBands.join(', ')}`))
          .optional()
          .meta({ description: 'Of `on: risk.entered`: the band of risk whose entry starts it.' }),
        only: condition.optional().meta({ description: 'What must hold of the subject and its person: others are not taken.' }),
        quietFor: span.optional().meta({ description: 'How long the subject must be left alone before the first step.' }),
        stopOn: z
          .array(z.enum(stopTriggers, expected(`one of ${stopTriggers.join(', ')}`)), expected(`a list of ${stopTriggers.join(', ')}`))
          .optional(),
        onReply: z
          .enum(replyPolicies, expected('stop or takeover'))
          .optional()
          .meta({ description: 'Whether a reply ends the sequence, or hands over to a person until it is released.' }),
        maxAge: span.default(7 * 86_400_000).meta({ description: 'Nothing is sent about a subject that was left longer ago.' }),
        reentry: reentry.optional(),
        together: z.enum(['one', 'many'], expected('one or many')).default('one'),
        overlap: z
          .enum(['allow', 'refuse'], expected('allow or refuse'))
          .default('allow')
          .meta({ description: 'Whether a person may be in it while they are in a sequence of another campaign.' }),
        holdout: holdout.default(0),
        arms: z
          .array(arm, expected('a list such as [{ id: short }, { id: long }]'))
          .min(fewestVariants, `needs ${fewestVariants} at least: one course is no comparison`)
          .max(mostVariants, `is too long: ${mostVariants} at most`)
          .optional()
          .meta({ description: 'Courses of the whole sequence that are compared by chance: a step of one of them says `when: { arm: … }`.' }),
        compare: compared.optional().meta({ description: `How the arms are compared. ${howCompared}` }),
        priority: z.int(expected('a whole number from 1 to 5')).min(1, 'must be 1 to 5').max(5, 'must be 1 to 5').default(3),
        whenCapped: z.enum(whenCapped, expected('skip or wait')).default('skip'),
        window: sendWindow
          .optional()
          .meta({ description: 'The hours and days of all steps that have no window of their own, on the person’s clock.' }),
        bestHour: z
          .boolean(expected('true or false'))
          .default(false)
          .meta({ description: 'Emails of 24 hours and later wait for the hour at which the person reads emails.' }),
        rate: z
          .strictObject(
            {
              most: z.int(expected('a whole number of messages')).min(1, 'must be 1 at least').max(1_000_000, 'must be 1000000 at most'),
              within: span,
            },
            expected('{ most: 500, within: 1d }'),
          )
          .optional()
          .meta({ description: 'How many of its messages leave at most within a time, to all people together.' }),
        goal: z
          .strictObject(
            { event: z.literal('order.placed', unavailable('order.placed')), within: span },
            expected('{ event: order.placed, within: 7d }'),
          )
          .default({ event: 'order.placed', within: 7 * 86_400_000 }),
        steps: z.array(step, expected('a list of steps')).min(1, 'is empty: a sequence needs a step').max(50, 'is too long: 50 steps at most'),
      },
      expected('the fields of a sequence: sequence, name, on, steps'),
    )
    .transform((shape) => {
      const kind = kindOfSequence(kinds, shape);
      return {
        ...shape,
        quietFor: shape.quietFor ?? usualQuietMs(shape.on, kind),
        reentry: shape.reentry ?? usualReentry(shape),
        stopOn: shape.stopOn ?? [...(kind?.stopOn ?? stopTriggers)],
      };
    });
}

function usualReentry(shape: { on: string }): 'once-per-subject' | 'once-per-silence' | 'once-per-entry' {
  if (isAboutSilence(shape)) return 'once-per-silence';
  return shape.on === riskEntered ? 'once-per-entry' : 'once-per-subject';
}

function usualQuietMs(on: string, kind: AnySubjectKind | null): number {
  if (isAboutSilentLead({ on })) return silentAfterMs;
  if (isAboutGhost({ on })) return ghostedAfterMs;
  return startsByItself(on) ? (kind?.quietForMs ?? 0) : 0;
}

/** A file of the right shape, before the rules across its fields were checked. */
export type SequenceShape = z.output<ReturnType<typeof sequenceSchemaFor>>;
export type StepShape = SequenceShape['steps'][number];
