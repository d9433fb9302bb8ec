import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type DelayTest, readDelays } from '../../../operations/learning/delays.ts';
import { readDropOffs, type SequenceDropOff } from '../../../operations/learning/drop-offs.ts';
import { type LearnedHours, readLearnedHours } from '../../../operations/learning/hours.ts';
import { leaderboardKinds, readLeaderboard } from '../../../operations/learning/leaderboards.ts';
import { type LearningOverview, readLearning } from '../../../operations/learning/overview.ts';
import { type LearnedPhrases, readPhrases } from '../../../operations/learning/phrases.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { startOfDay } from '../../../operations/read/course-sums.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { channelField } from '../scripts/schemas.ts';
import { boundsSchema, inPercent, intervalSchema, percent, percentOrNull, placedSchema } from './schemas.ts';

const daysField = z.coerce.number().int().min(1).max(3_650).default(90).meta({ description: 'What began in so many days.' });
const definition = z.string().meta({ description: 'What is counted, and how.' });
const money = z.array(
  z.object({ currency: z.string(), net: z.string().meta({ description: 'In major units, exact: `129.90`.' }), net_minor: z.int() }),
);

const findingSchema = z.object({
  kind: z
    .enum(['word', 'two_words', 'three_words', 'opening', 'closing', 'length'])
    .meta({ description: '`opening`, `closing`: a word of the first or the last sentence. `length`: the text is longer than the mean of its test.' }),
  text: z.string(),
  n: z.int().meta({ description: 'Tests in which some texts have it and some have not.' }),
  lift: z.number().meta({ description: 'Percent: how much better texts with it do than those without it in the same test, on average.' }),
  interval: intervalSchema,
  z: z.number().nullable(),
  p: z
    .number()
    .nullable()
    .meta({ description: 'Adjusted for everything that is judged on this channel (Benjamini and Hochberg); null: not enough variants.' }),
});

const phrasesSchema = z
  .object({
    channel: z.string(),
    channels: z.array(z.string()).meta({ description: 'On which tests compare texts.' }),
    definition,
    n: z.int().meta({ description: 'Tests of this channel that are compared.' }),
    fewest_tests: z.int().meta({ description: 'In so many tests a phrase has to vary before anything is said of it.' }),
    state: z
      .enum(['enough', 'not_enough_variants'])
      .meta({ description: '`not_enough_variants`: no phrase varies in enough tests; `missing` says how many more it takes at least.' }),
    missing: z.int(),
    better: z.array(findingSchema).meta({ description: 'To use: adjusted p below 0.05, the surest first.' }),
    worse: z.array(findingSchema).meta({ description: 'To avoid: adjusted p below 0.05, the surest first.' }),
    open: z.array(findingSchema).meta({ description: 'Judged and not certain; the surest fifty.' }),
    too_few: z.array(findingSchema).meta({ description: 'Not enough variants; the fifty that vary in most tests.' }),
    too_few_in_all: z.int(),
    left_out: z
      .array(z.object({ why: z.enum(['changed_text', 'no_text', 'other_difference', 'same_text', 'written_by_model', 'unsound']), tests: z.int() }))
      .meta({ description: 'Tests of this channel that say nothing about texts. `unsound`: their arms have not as many people as they should.' }),
  })
  .meta({ id: 'LearnedPhrases' });

const delaySchema = z.object({
  variant: z.string(),
  delay_seconds: z.number(),
  assigned: z.int(),
  n: z.int().meta({ description: 'People whose window is over.' }),
  converted: z.int(),
  rate: z.number().nullable().meta({ description: 'Percent.' }),
  interval: intervalSchema,
  difference: z
    .object({ value: z.number(), interval: boundsSchema })
    .nullable()
    .meta({ description: 'Percentage points more than the first one, with Newcombe’s 95 % interval.' }),
  lift: z.object({ value: z.number(), interval: boundsSchema }).nullable().meta({ description: 'Percent more than the first one.' }),
  z: z.number().nullable(),
  p: z.number().nullable().meta({ description: 'Of the two-proportion z test, times the number of comparisons: for one look planned beforehand.' }),
});

const delayTestSchema = z
  .object({
    experiment: z.uuid(),
    sequence: z.string(),
    step: z.string(),
    status: z.enum(['RUNNING', 'DECIDED', 'STOPPED']),
    started_at: timeField,
    ended_at: timeField.nullable(),
    from: z.enum(['anchor', 'previous', 'event']).meta({ description: 'What the delays count from.' }),
    n: z.int(),
    state: z.enum(['enough', 'not_enough', 'unsound']),
    missing: z.object({ people: z.int(), conversions: z.int() }).meta({ description: 'What all delays together lack before anything is said.' }),
    delays: z.array(delaySchema).meta({ description: 'The shortest first: the step’s own, with which the others are compared.' }),
    trend: z.object({ z: z.number(), p: z.number() }).nullable(),
    anytime_p: z.number().meta({ description: 'Right at any look: the test ends by it.' }),
    suggestion: z.string().nullable().meta({ description: 'A later delay did significantly better; it is a suggestion, and nothing changes by it.' }),
  })
  .meta({ id: 'DelayTest' });

const dropOffSchema = z
  .object({
    sequence: z.string(),
    name: z.string(),
    enrolled: z.int(),
    largest: z
      .object({
        step: z.string(),
        n: z.int().meta({ description: 'To whom its message went out.' }),
        left: z.int(),
        rate: z.number().meta({ description: 'Percent.' }),
        interval: boundsSchema,
        because: z.enum(['late_in_the_sequence', 'time_of_day', 'email', 'other']),
        advice: z.string(),
        by_hours_p: z.number().nullable().meta({ description: 'How likely such differences between parts of the day are by chance; null: too few.' }),
      })
      .nullable()
      .meta({ description: 'null: nobody is lost behind a step that twenty have had.' }),
  })
  .meta({ id: 'SequenceDropOff' });

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const hoursSchema = z
  .object({
    channel: z.string(),
    refreshed_at: timeField.nullable(),
    n: z.int().meta({ description: 'Messages.' }),
    converted: z.int(),
    preferred: z
      .array(z.object({ day: z.enum(weekdays), hour: z.int(), since: timeField }))
      .meta({ description: 'The hours that steps which wait for the best hour prefer, where the setting `learnedHours` is on.' }),
    cells: z.array(
      z.object({
        day: z.enum(weekdays),
        hour: z.int(),
        n: z.int(),
        converted: z.int(),
        rate: z.number().meta({ description: 'Percent, drawn towards `expected`, the more the fewer messages there are.' }),
        expected: z.number().meta({ description: 'Percent: what the day and the hour, each by itself, would make it.' }),
        chance_better: z.number().meta({ description: 'From 0 to 1: how likely it is better than the mean of all.' }),
        interval: intervalSchema.meta({ description: 'Wilson’s 95 % interval of the plain rate, in percent; null: no message.' }),
      }),
    ),
  })
  .meta({ id: 'LearnedHours' });

const learningSchema = z
  .object({
    since: timeField,
    conversions: z.object({
      definition,
      n: z.int(),
      converted: z.int(),
      rate: z.number().nullable().meta({ description: 'Percent.' }),
      interval: intervalSchema,
    }),
    revenue: z.object({ definition, amounts: money }),
    channels: z.object({ definition, data: z.array(placedSchema) }),
    funnel: z.object({
      definition,
      n: z.int(),
      stages: z.array(
        z.object({
          stage: z.enum(['leads', 'contacted', 'responded', 'converted']),
          n: z.int(),
          of_before: z.number().nullable().meta({ description: 'Percent of the stage before; null: that is empty.' }),
        }),
      ),
      revenue: money,
    }),
    insights: z.array(
      z.object({ about: z.enum(['words', 'delay', 'channel', 'drop_off', 'hour']), sentence: z.string(), n: z.int(), interval: intervalSchema }),
    ),
  })
  .meta({ id: 'Learning' });

const sinceOf = (deps: ResourceOptions['deps'], days: number) => startOfDay(deps.clock.nowMs() - days * 86_400_000);

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/learning',
    {
      schema: {
        summary: 'Show what the results teach',
        description: 'Conversions, revenue, channels and the funnel since, and what was learned in sentences.',
        querystring: z.object({ days: daysField }),
        response: { 200: learningSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentOverview(await readLearning(deps, callerOf(request).tenantId, sinceOf(deps, request.query.days))),
  );

  app.get(
    '/api/learning/phrases',
    {
      schema: {
        summary: 'Show which words and phrases texts do better with',
        description:
          'By tests of variants and scripts alone: a text is compared with the others of its test. People who got the same text are no separate proof of its words, so a phrase is judged once it varies in thirty tests.',
        querystring: z.object({ channel: channelField }),
        response: { 200: phrasesSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentPhrases(await readPhrases(deps, callerOf(request).tenantId, request.query.channel)),
  );

  app.get(
    '/api/learning/delays',
    {
      schema: {
        summary: 'Compare delays of steps that were drawn by chance',
        description:
          'Of tests whose variants differ in their time alone. Everybody counts from the assignment on, whether or not the message went out: conversion after a message would prefer early ones.',
        response: { 200: z.object({ definition, data: z.array(delayTestSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({
      definition:
        'People drawn to a delay who ordered within the goal’s window after they were assigned, of those whose window is over, whether or not the message went out.',
      data: (await readDelays(deps, callerOf(request).tenantId)).map(presentDelay),
    }),
  );

  app.get(
    '/api/learning/hours',
    {
      schema: {
        summary: 'Show what messages come to by the hour of the local week',
        description:
          'Computed every night, by channel. Where the setting `learnedHours` is on, steps that wait for the best hour prefer the best hours, and a fixed share of people keeps hours drawn at random.',
        response: { 200: z.object({ definition, data: z.array(hoursSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({
      definition:
        'Messages of the last 180 days but the last seven that a provider accepted, by the hour on the person’s clock at which they went out, and those of them with an order within seven days that the last message before it was. Orders later or taken back are not among them.',
      data: (await readLearnedHours(deps, callerOf(request).tenantId)).map(presentHours),
    }),
  );

  app.get(
    '/api/learning/drop-offs',
    {
      schema: {
        summary: 'Show where each sequence loses most, and what to try there',
        querystring: z.object({ days: daysField }),
        response: { 200: z.object({ definition, data: z.array(dropOffSchema) }), ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => ({
      definition:
        'Those to whom a step’s message went out and whose sequence ended behind it without a conversion, of all to whom it went out. Leaving and converting compete: whoever converted has not left. The largest is the one whose interval begins highest.',
      data: (await readDropOffs(deps, callerOf(request).tenantId, sinceOf(deps, request.query.days))).map(presentDropOff),
    }),
  );

  app.get(
    '/api/learning/leaderboards',
    {
      schema: {
        summary: 'Rank sequences, campaigns, sources or imports',
        description: 'By what the conversion rate is at least, with 95 %, so that a small sample does not lead by luck.',
        querystring: z.object({ of: z.enum(leaderboardKinds).default('sequences'), days: daysField }),
        response: {
          200: z.object({ of: z.enum(leaderboardKinds), definition, n: z.int(), data: z.array(placedSchema) }),
          ...problems(400, 401, 429, 503),
        },
      },
    },
    async (request) => {
      const { of, days } = request.query;
      const placed = await readLeaderboard(deps, callerOf(request).tenantId, of, sinceOf(deps, days));
      return {
        ...{ of, n: placed.reduce((sum, { people }) => sum + people, 0), data: placed.map(presentPlaced) },
        definition: `Enrollments that were activated in the last ${days} days and not held out, and those of them with an order that stands. It was not drawn by chance who got what: a place is no proof of an effect.`,
      };
    },
  );
};

const presentMoney = (amounts: readonly { currency: string; netMinor: number }[]) =>
  amounts.map(({ currency, netMinor }) => ({ currency, net: majorUnits(netMinor, currency), net_minor: netMinor }));

const presentPlaced = ({ place, key, name, people, converted, rate, interval, shrunkRate, atLeast }: LearningOverview['channels'][number]) => ({
  ...{ place, key, name, n: people, converted, rate: percent(rate), interval: inPercent(interval) },
  ...{ shrunk_rate: percent(shrunkRate), at_least: percent(atLeast) },
});

function presentOverview({ sinceMs, conversions, revenue, channels, funnel, insights }: LearningOverview): z.input<typeof learningSchema> {
  const stages = (['leads', 'contacted', 'responded', 'converted'] as const).map((stage, index, all) => {
    const before = index === 0 ? undefined : all[index - 1];
    const of = before === undefined ? 0 : funnel[before];
    return { stage, n: funnel[stage], of_before: of === 0 ? null : percent(funnel[stage] / of) };
  });
  return {
    since: isoTime(sinceMs),
    conversions: {
      definition: 'Enrollments activated since and not held out, and those of them with an order that stands.',
      ...{
        n: conversions.enrolled,
        converted: conversions.converted,
        rate: percentOrNull(conversions.rate),
        interval: inPercent(conversions.interval),
      },
    },
    revenue: { definition: 'Net of the orders that these enrollments are credited with. It is credit, not effect.', amounts: presentMoney(revenue) },
    channels: {
      definition:
        'Messages that went out, and those of them behind which the conversion came before the next message. Best first, by what the rate is at least.',
      data: channels.map(presentPlaced),
    },
    funnel: {
      definition:
        'What sequences are about, first seen since; those whose message went out; of these, who clicked, replied or answered a call, and who ordered. Ordering does not presuppose a response.',
      n: funnel.leads,
      stages,
      revenue: presentMoney(funnel.revenue),
    },
    insights: insights.map(({ interval, ...insight }) => ({ ...insight, interval: inPercent(interval) })),
  };
}

const shownAtMost = 50;

function presentPhrases({
  channel,
  channels,
  tests,
  fewestTests,
  better,
  worse,
  open,
  tooFew,
  leftOut,
}: LearnedPhrases): z.input<typeof phrasesSchema> {
  const judged = better.length + worse.length + open.length;
  const finding = ({ kind, text, tests: n, lift, interval, z: score, p }: LearnedPhrases['better'][number]) => ({
    ...{ kind, text, n, lift: percent(lift), interval: inPercent(interval), z: score, p },
  });
  return {
    ...{ channel, channels, n: tests, fewest_tests: fewestTests },
    definition:
      'Of each test: how far the conversion rates of texts with a phrase are above the mean of the test, relative to it. z is the sum over tests by its spread over tests; p is adjusted for everything judged on the channel.',
    state: judged > 0 ? 'enough' : 'not_enough_variants',
    missing: judged > 0 ? 0 : fewestTests - (tooFew[0]?.tests ?? 0),
    ...{ better: better.map(finding), worse: worse.map(finding) },
    ...{ open: open.slice(0, shownAtMost).map(finding), too_few: tooFew.slice(0, shownAtMost).map(finding), too_few_in_all: tooFew.length },
    left_out: leftOut,
  };
}

function presentDelay({
  experiment,
  sequence,
  step,
  status,
  startedAtMs,
  endedAtMs,
  from,
  analysis,
  suggestion,
}: DelayTest): z.input<typeof delayTestSchema> {
  const { state, missing, arms, trend, anytimeP } = analysis;
  return {
    ...{ experiment, sequence, step, status, started_at: isoTime(startedAtMs), ended_at: isoTimeOrNull(endedAtMs), from },
    ...{ n: arms.reduce((sum, { arm }) => sum + arm.people, 0), state, missing, trend, anytime_p: anytimeP, suggestion },
    delays: arms.map(({ arm, rate, interval, difference, lift, z: score, p }) => ({
      ...{ variant: arm.id, delay_seconds: arm.delayMs / 1_000, assigned: arm.assigned, n: arm.people, converted: arm.converted },
      ...{ rate: percentOrNull(rate), interval: inPercent(interval), z: score, p },
      difference: difference === null ? null : { value: percent(difference.value), interval: ofBounds(difference.interval) },
      lift: lift === null ? null : { value: percent(lift.lift), interval: ofBounds(lift.interval) },
    })),
  };
}

function presentHours({ channel, refreshedAtMs, sends, conversions, rules }: LearnedHours): z.input<typeof hoursSchema> {
  const dayOf = (day: number) => weekdays[day] ?? 'monday';
  return {
    ...{ channel, refreshed_at: isoTimeOrNull(refreshedAtMs), n: sends, converted: conversions },
    preferred: rules.flatMap(({ day, hour, preferredAtMs }) =>
      preferredAtMs === null ? [] : [{ day: dayOf(day), hour, since: isoTime(preferredAtMs) }],
    ),
    cells: rules.map(({ day, hour, people, converted, rate, expected, chanceBetter, interval }) => ({
      ...{ day: dayOf(day), hour, n: people, converted, rate: percent(rate), expected: percent(expected) },
      ...{ chance_better: Number(chanceBetter.toFixed(4)), interval: inPercent(interval) },
    })),
  };
}

const ofBounds = ({ low, high }: { low: number; high: number }) => ({ low: percent(low), high: percent(high) });

function presentDropOff({ sequence, name, enrolled, largest }: SequenceDropOff): z.input<typeof dropOffSchema> {
  if (largest === null) return { sequence, name, enrolled, largest };
  const { step, n, left, rate, interval, because, advice, byHoursP } = largest;
  return {
    ...{ sequence, name, enrolled },
    largest: { step, n, left, rate: percent(rate), interval: ofBounds(interval), because, advice, by_hours_p: byHoursP },
  };
}

export const resource: Resource = {
  tag: { name: 'learning', description: 'What results teach: words, delays, hours, where people are lost' },
  guard: 'tenant',
  changes: null,
  routes,
};
