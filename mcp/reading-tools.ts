import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { type Client, type Data, unwrap } from '../sdk/index.ts';
import { reading, type Tool } from './tool.ts';

const sequence = z.string().min(1).max(60).describe('The slug of a sequence, such as cart; list_sequences names them.');
const days = z.int().min(1).max(366).optional().describe('How far back.');
const person = {
  email: z.string().max(320).optional(),
  phone: z.string().max(60).optional(),
};
const search = {
  enrollment_id: z.string().max(60).optional(),
  ...person,
  subject_id: z.string().max(300).optional().describe('Of a cart or lead: Rekindle’s id, or any that its source has for it.'),
  external_id: z.string().max(300).optional().describe('Any id of the source’s: of the subject, the customer or the order.'),
};

type Explanation = Data<'GET /api/enrollments/{id}/explain'>;
type Story = Pick<Explanation, 'enrollment' | 'entries' | 'next'>;

const gatesOf = (gates: { gate: string; result: string }[]) => gates.map(({ gate, result }) => `${gate}: ${result}`);

const storyOf = ({ enrollment, entries, next }: Story, withGates: boolean) => ({
  enrollment_id: enrollment.id,
  subject: { kind: enrollment.subject.kind, id: enrollment.subject.id, state: enrollment.subject.state },
  sequence: enrollment.sequence.slug,
  version: enrollment.sequence.version,
  status: enrollment.status,
  summary: enrollment.summary,
  entries: entries.map((entry) => ({
    at: entry.at,
    kind: entry.kind,
    sentence: entry.sentence,
    ...(withGates && entry.kind === 'decision' ? { gates: gatesOf(entry.gates) } : {}),
  })),
  next: next === null ? null : { sentence: next.sentence, ...(withGates ? { gates: gatesOf(next.gates) } : {}) },
});

async function explanationsOf(client: Client, given: z.output<z.ZodObject<typeof search>>) {
  const { enrollment_id: id, ...others } = given;
  if (id !== undefined) return { explanations: [unwrap(await client.explain.enrollment(id))], subjects: [] };
  const found = unwrap(await client.explain.find(Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined))));
  return { explanations: found.explanations, subjects: found.subjects_without_sequence };
}

const reportWithinMs = 25_000;

/** A backtest takes seconds on a usual history. @returns the job as it stands where it takes longer */
async function settled(client: Client, id: string) {
  for (const untilMs = Date.now() + reportWithinMs; ; await setTimeout(250)) {
    const job = unwrap(await client.backtests.get(id));
    if (job.state !== 'running' || Date.now() > untilMs) return job;
  }
}

const backtestOf = ({ id, state, progress, sequence: of, version, error, report }: Data<'GET /api/backtests/{id}'>) => ({
  ...{ id, state, progress, sequence: of, version, error, report },
  ...(state === 'running' ? { next: 'It goes on. Ask again with backtest_id.' } : {}),
});

export const readingTools: readonly Tool[] = [
  reading(
    {
      name: 'explain',
      title: 'Explain',
      description: 'What happened to one person, cart or lead, in sentences with their times; what comes next and why. Give one of the fields.',
    },
    { ...search, gates: z.boolean().default(false).describe('With every gate of each decision.') },
    async ({ client }, { gates, ...given }) => {
      const { explanations, subjects } = await explanationsOf(client, given);
      return {
        explanations: explanations.map((one) => storyOf(one, gates)),
        without_sequence: subjects.map(({ id, kind, sentence }) => ({ id, kind, sentence })),
      };
    },
  ),
  reading(
    {
      name: 'why_not_sent',
      title: 'Why messages were not sent',
      description:
        'Of the last days: what kept messages back, what waited, what was left out as planned, and why sequences were not begun; each with its count.',
    },
    { days, sequence: sequence.optional(), channel: z.string().max(20).optional() },
    async ({ client }, { days: back, sequence: of, channel }) => {
      // The API judges the name of the channel.
      const query = { days: back, sequence: of, channel } as Parameters<typeof client.explain.summary>[0];
      const { reasons, not_begun: notBegun } = unwrap(await client.explain.summary(query));
      return {
        reasons: reasons.map(({ kind, count, sentence }) => ({ kind, count, sentence })),
        not_begun: notBegun.map(({ count, sentence }) => ({ count, sentence })),
      };
    },
  ),
  reading(
    {
      name: 'rehearse',
      title: 'Rehearse a sequence',
      description:
        'What would be sent to a real person, or to an invented one, put off and left out, and when, were they to leave a cart or lead now. Nothing is sent or changed.',
    },
    {
      contact: z
        .string()
        .max(320)
        .optional()
        .describe('The id of a contact, as the tool contacts finds it; left out: an invented first customer of the store.'),
      sequence: sequence.optional(),
      yaml: z.string().max(200_000).optional().describe('Instead of sequence: the text of a sequence file.'),
      scenario: z.string().max(100_000).optional().describe('What happens meanwhile, as docs/rehearsal.md has it.'),
    },
    async ({ client }, { contact, sequence: slug, yaml, scenario }) =>
      unwrap(
        await client.rehearsals.run({
          ...(contact === undefined ? {} : { contact }),
          ...(slug === undefined ? {} : { sequence: slug }),
          ...(yaml === undefined ? {} : { yaml }),
          scenario: scenario ?? '',
        }),
      ),
  ),
  reading(
    {
      name: 'backtest',
      title: 'Backtest a sequence',
      description:
        'What a sequence would have done over the store’s own history: messages, costs, collisions, and whether somebody would have got one after buying. Nothing is sent.',
    },
    {
      sequence: sequence.optional(),
      yaml: z.string().max(200_000).optional().describe('Instead of sequence: the text of a sequence file.'),
      days: z.int().min(1).max(366).optional(),
      backtest_id: z.uuid().optional().describe('An earlier one, instead of all else.'),
    },
    async ({ client }, { sequence: slug, yaml, days: back, backtest_id: earlier }) => {
      const wish = {
        ...(slug === undefined ? {} : { sequence: slug }),
        ...(yaml === undefined ? {} : { yaml }),
        ...(back === undefined ? {} : { days: back }),
      };
      const id = earlier ?? unwrap(await client.backtests.start(wish)).id;
      return backtestOf(await settled(client, id));
    },
  ),
  reading(
    {
      name: 'preview',
      title: 'Preview a message',
      description: 'What a step says: to an invented reader, or, where personal data is allowed, to a real person.',
    },
    {
      sequence,
      step: z.string().min(1).max(60),
      locale: z.string().max(35).optional().describe('The reader’s language and region, by BCP 47.'),
      sample: z.string().max(100).optional().describe('The name of an invented reader, or a part of it.'),
      contact: z.string().max(320).optional().describe('A real person, where personal data is allowed.'),
      variant: z.string().max(20).optional().describe('One of the step’s variants; without it, the person’s own, or the first.'),
    },
    async ({ client, personalData }, { sequence: slug, step, locale, sample, contact, variant }) => {
      if (contact !== undefined && !personalData)
        throw new Error('Personal data is not allowed here: preview for a sample. rekindle mcp --personal-data allows it.');
      const query = {
        ...(locale === undefined ? {} : { locale }),
        ...(sample === undefined ? {} : { sample }),
        ...(contact === undefined ? {} : { contact }),
        ...(variant === undefined ? {} : { variant }),
      };
      const { channel, locale: language, subject, preheader, cta, text, claims } = unwrap(await client.previews.get(slug, step, query));
      return { channel, locale: language, subject, preheader, cta, text, claims };
    },
  ),
  reading(
    {
      name: 'analytics',
      title: 'Analytics',
      description:
        'How the store’s sequences did: begun, recovered, revenue attributed and what a holdout says it was worth. With sequence: one of them, step by step.',
    },
    { days, sequence: sequence.optional() },
    async ({ client }, { days: back, sequence: slug }) => {
      const query = back === undefined ? {} : { days: back };
      return slug === undefined ? unwrap(await client.recovery.analytics(query)) : unwrap(await client.sequences.stats(slug, query));
    },
  ),
  reading(
    {
      name: 'attribution',
      title: 'Attribution and effect',
      description:
        'What messages are credited with of the orders after them, by one of four models, and beside it what sequences caused as their holdouts show it, with intervals. Credit is not effect.',
    },
    {
      days,
      model: z.enum(['last', 'linear', 'position', 'time_decay']).default('last'),
      by: z.enum(['sequence', 'step', 'channel', 'variant', 'campaign', 'source']).default('sequence'),
    },
    async ({ client }, { days: back, ...query }) => unwrap(await client.attribution.get({ ...query, ...(back === undefined ? {} : { days: back }) })),
  ),
  reading(
    {
      name: 'learning',
      title: 'What results teach',
      description:
        'What the store’s results teach: about overview (sentences, channels, funnel), phrases (which words texts of a channel do better with, by tests alone), delays (compared by chance), hours (of the local week, with the preferred ones), drop_offs (where each sequence loses most, with advice), suggestions (comparisons worth making there, as drafts that a person approves), dismissed_suggestions (who did not want one, when and why) or leaderboards. Each figure with its number of cases and interval, or what is missing.',
    },
    {
      about: z
        .enum(['overview', 'phrases', 'delays', 'hours', 'drop_offs', 'suggestions', 'dismissed_suggestions', 'leaderboards'])
        .default('overview'),
      channel: z.string().max(20).optional().describe('Of phrases; default email.'),
      of: z.enum(['sequences', 'campaigns', 'sources', 'imports']).default('sequences').describe('Of leaderboards.'),
      days,
    },
    async ({ client }, { about, channel, of, days: back }) => {
      const since = back === undefined ? {} : { days: back };
      switch (about) {
        case 'overview':
          return unwrap(await client.learning.get(since));
        case 'phrases':
          return unwrap(await client.learning.phrases({ channel: (channel ?? 'email') as 'email' }));
        case 'delays':
          return unwrap(await client.learning.delays());
        case 'hours':
          return unwrap(await client.learning.hours());
        case 'drop_offs':
          return unwrap(await client.learning.dropOffs(since));
        case 'suggestions':
          return unwrap(await client.suggestions.list());
        case 'dismissed_suggestions':
          return unwrap(await client.suggestions.dismissed());
        case 'leaderboards':
          return unwrap(await client.learning.leaderboards({ ...since, of }));
      }
    },
  ),
  reading(
    {
      name: 'monitor_churn_risk',
      title: 'Risk of losing accounts',
      description:
        'How one account stands: its score and whether that is a chance or a rank, its band, and the reasons with their weights. Without account: what is predicted, by what, and how many accounts are in each band.',
    },
    { account: z.uuid().optional().describe('The id of an account.') },
    async ({ client }, { account }) => {
      if (account === undefined) {
        const { prediction, thresholds, bands, by, training } = unwrap(await client.risk.get());
        return { prediction, thresholds, bands, by, training };
      }
      const { at, by, basis, score, sentence, band, band_before, risk_level, days_left, factors } = unwrap(await client.risk.assess({ account }));
      return { account, at, by, basis, score, sentence, band, band_before, risk_level, days_left, factors: factors.slice(0, 12) };
    },
  ),
  reading(
    {
      name: 'interventions',
      title: 'Interventions',
      description:
        'What interventions about accounts at risk do: success with its interval, cost, revenue attributed and protected, return. With account: those about one account, action by action.',
    },
    { days, account: z.uuid().optional().describe('The id of an account.') },
    async ({ client }, { days: back, account }) => {
      if (account === undefined) return unwrap(await client.interventions.figures(back === undefined ? {} : { days: back }));
      const { data, nextCursor } = unwrap(await client.interventions.list({ account, limit: 20 }));
      return { interventions: data.map(({ contact: _contact, ...one }) => one), more: nextCursor !== null };
    },
  ),
  reading(
    { name: 'contacts', title: 'Find contacts', description: 'The contacts of a person, by an address or a number: ids, lifecycle and country.' },
    person,
    async ({ client }, given) => {
      const query = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const { data, nextCursor } = unwrap(await client.contacts.list({ ...query, limit: 50 }));
      return { contacts: data.map(({ id, person: of, lifecycle, country }) => ({ id, person: of, lifecycle, country })), more: nextCursor !== null };
    },
  ),
  reading(
    {
      name: 'quarantine',
      title: 'Quarantined deliveries',
      description:
        'Webhooks that could not be read and wait for somebody: what is wrong with each, and whether it may be a stop. Never their bodies.',
    },
    {},
    async ({ client }) => {
      const { data, nextCursor } = unwrap(await client.quarantine.list({ state: 'open', limit: 50 }));
      return {
        deliveries: data.map(({ id, integration, topic, received_at, reason, fields, may_be_stop }) => ({
          ...{ id, integration, topic, received_at, reason, fields, may_be_stop },
        })),
        more: nextCursor !== null,
      };
    },
  ),
  reading(
    {
      name: 'parked',
      title: 'Parked work',
      description:
        'What cannot go on by itself: refused logins, sequences without a way, unreadable deliveries, outcomes in doubt. Each with how long, how many wait, and what to do.',
    },
    {},
    async ({ client }) => {
      const { data, nextCursor } = unwrap(await client.parked.list({ limit: 50 }));
      return {
        parked: data.map(({ id, kind, cause, since, sentence, what_to_do, affected }) => ({
          ...{ id, kind, cause, since, sentence, what_to_do, affected },
        })),
        more: nextCursor !== null,
      };
    },
  ),
  reading(
    {
      name: 'list_notification_targets',
      title: 'List notification targets',
      description:
        'Where people are told of their tasks: whose tasks, by which way, of which kinds; and where, if personal data are allowed. Without an owner: tasks that are anybody’s.',
    },
    {},
    async ({ client, personalData }) => {
      const { data, nextCursor } = unwrap(await client.notifications.targets({ limit: 200 }));
      return {
        targets: data.map(({ id, owner, channel, address, kinds, created_at }) => ({
          ...{ id, owner, channel, kinds, created_at },
          ...(personalData ? { address } : {}),
        })),
        more: nextCursor !== null,
      };
    },
  ),
  reading(
    {
      name: 'show_waves',
      title: 'Show what is due and what is late',
      description:
        'How many steps are due within 24 hours, overdue or on hold, what left in the last hour by minute, and what the last day came to: begun, stopped by reason, sent, and what must be 0 (sent twice, sent after a stop).',
    },
    {},
    async ({ client }) => ({ waves: unwrap(await client.waves.get()), last_day: unwrap(await client.waves.lastDay()) }),
  ),
  reading(
    {
      name: 'list_outage_drills',
      title: 'List practised outages',
      description: 'Which part counted as away, for which share of the enrollments, from when until when.',
    },
    {},
    async ({ client }) => ({ drills: unwrap(await client.outageDrills.list({ limit: 20 })).data }),
  ),
  reading(
    {
      name: 'list_alarms',
      title: 'List alarms',
      description:
        'The store’s figures beside their thresholds: late steps, accepted messages, escalations, failures, backlog; and which of them is an alarm since when.',
    },
    {},
    async ({ client }) => unwrap(await client.alarms.get()),
  ),
  reading(
    {
      name: 'list_sequences',
      title: 'List sequences',
      description: 'The store’s sequences: their state, their version in use, and how many are in them.',
    },
    {},
    async ({ client }) => {
      const { data } = unwrap(await client.sequences.list({ limit: 500 }));
      return {
        sequences: data.map(({ slug, name, status, paused, version, open_enrollments, has_draft }) => ({
          ...{ slug, name, status, paused, version, open_enrollments, has_draft },
        })),
      };
    },
  ),
];
