import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { beginCampaignTest, type CampaignTestBegun, stopCampaignTest } from '../../../operations/experiments/campaign-tests.ts';
import { dismissWinner, experimentModes, experimentStatuses, takeOver, takeovers } from '../../../operations/experiments/experiments.ts';
import {
  type ExperimentView,
  guardrailMetrics,
  listExperiments,
  readExperiment,
  readExperimentHistory,
  sharesNow,
  wholeSequence,
} from '../../../operations/experiments/standing.ts';
import { formatDuration } from '../../../operations/recovery-config.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { channelField } from '../scripts/schemas.ts';

const armSchema = z.object({
  variant: z.string(),
  script: z.uuid().nullable().meta({ description: 'Of a campaign’s test.' }),
  form: z
    .object({
      content: z.string(),
      model: z.string().nullable().meta({ description: 'The brief from which a model writes it.' }),
      channels: z.array(z.string()),
      later: z.string().nullable().meta({ description: 'How long after the step is due it goes out.' }),
      offer: z.boolean().nullable().meta({ description: 'Whether it brings one, where that is compared; null: as the step.' }),
    })
    .nullable()
    .meta({ description: 'Of a step’s variant, as the version in use has it; null: it has none of that name.' }),
  share: z.number().meta({ description: 'Of the people who are assigned; of a bandit, now.' }),
  chance_best: z.number().nullable().meta({ description: 'Of a bandit: how likely it converts best, 0 to 1; null: it is a test.' }),
  people: z.int(),
  sent: z.int(),
  opened: z.int(),
  clicked: z.int(),
  complete: z.int().meta({ description: 'Whose window is over: only they are compared.' }),
  converted: z.int().meta({ description: 'Of these. Late orders count when they come, cancelled ones and refused conversions do not.' }),
});

const boundsSchema = z.object({ low: z.number(), high: z.number() });
const pointsSchema = z.object({ value: z.number(), interval: boundsSchema });

const experimentSchema = z
  .object({
    id: z.uuid(),
    sequence: z
      .string()
      .nullable()
      .meta({ description: 'Of a test of a step’s variants, or of its own courses; null: it compares scripts of a campaign.' }),
    step: z.string().nullable().meta({ description: 'null with a sequence: its courses as a whole are compared (`arms`).' }),
    campaign: z.uuid().nullable().meta({ description: 'Of a test of a campaign’s scripts; null: it is a step’s.' }),
    campaign_name: z.string().nullable(),
    channel: z.string().nullable(),
    mode: z.enum(experimentModes).meta({
      description: '`bandit`: shares follow what each variant brings, at least a tenth each; nothing is judged, and it does not end by itself.',
    }),
    status: z.enum(experimentStatuses).meta({ description: '`STOPPED`: its variants were changed or taken away before anything was certain.' }),
    goes_on_because: z.enum(['too_young', 'unsound', 'too_few', 'open', 'harm', 'bandit']).nullable().meta({
      description:
        'Of a test that runs. `too_young`: a week and one whole window have not passed. `too_few`: a variant has fewer than 50 people whose window is over. `open`: nothing is certain. `unsound`: the variants have not as many people as they should. `harm`: the one that converts best makes something worse that it must not (`guardrails`). `bandit`: it does not end by itself.',
    }),
    started_at: timeField.meta({ description: 'When its first person was assigned; a campaign’s: when it was begun.' }),
    ended_at: timeField.nullable(),
    winner: z.string().nullable(),
    p: z
      .number()
      .nullable()
      .meta({ description: 'When it was decided: how likely such differences are where there are none. Of a test that runs, now.' }),
    z: z.number().nullable().meta({ description: 'The plain z, for information.' }),
    arms: z.array(armSchema).meta({ description: 'As they stand now, also after the end.' }),
    comparisons: z
      .array(
        z.object({
          variant: z.string(),
          against: z.string(),
          difference: pointsSchema
            .nullable()
            .meta({ description: 'Percentage points, with Newcombe’s 95 % interval: for one look planned beforehand.' }),
          lift: pointsSchema
            .nullable()
            .meta({ description: 'Relative, in percent, on the logarithm of the ratio (ADR 92): for one look planned beforehand.' }),
          always_within: boundsSchema
            .nullable()
            .meta({ description: 'Percentage points: the difference lies within it at every look, for all variants together, with 95 %.' }),
          no_difference_above: z
            .number()
            .nullable()
            .meta({ description: 'Percentage points: whatever the difference is, it is no larger than this.' }),
          revenue: z
            .array(
              z.object({
                currency: z.string(),
                per_person_minor: z.object({ variant: z.number(), against: z.number() }),
                always_within_minor: boundsSchema.meta({
                  description: 'The difference per person lies within it at every look, for all variants together, with 95 %.',
                }),
              }),
            )
            .meta({
              description:
                'Net revenue per person whose window is over, in minor units, those without an order as 0. Empty below 100 people in either variant.',
            }),
        }),
      )
      .meta({ description: 'Each other variant beside the first. None of them names a winner. Empty: nothing may be said.' }),
    guardrails: z
      .array(
        z.object({
          metric: z.enum(guardrailMetrics),
          variant: z.string(),
          people: z.int(),
          cases: z.int(),
          others: z.object({ people: z.int(), cases: z.int() }),
          always_within: boundsSchema.nullable().meta({
            description: 'Percentage points, this variant less all others: at every look, for all variants and metrics together, with 95 %.',
          }),
          worse: z
            .boolean()
            .meta({ description: 'For certain: the whole interval lies above 0. With the setting `guardrailsStop` it is taken out by itself.' }),
        }),
      )
      .meta({
        description:
          'What a test must not make worse: people who closed a channel themselves (complaints among them), complaints, and people with a refunded or cancelled order. Empty: nothing may be said.',
      }),
    decided_by: z
      .array(z.object({ variant: z.string(), people: z.int(), converted: z.int() }))
      .nullable()
      .meta({ description: 'The counts by which it was decided.' }),
    takeover: z.enum(takeovers).nullable().meta({ description: 'What became of the winner; null: there is none.' }),
    version: z.int().nullable().meta({ description: 'Of the sequence, in which the winner took over.' }),
    resolved_at: timeField.nullable(),
    resolved_by: z.string().nullable(),
  })
  .meta({ id: 'Experiment' });

const historySchema = z
  .object({
    at: timeField,
    comparisons: z.array(
      z.object({
        variant: z.string(),
        against: z.string(),
        difference: z.number().nullable().meta({ description: 'Percentage points.' }),
        always_within: boundsSchema.nullable().meta({ description: 'Percentage points: at every look, for all variants together, with 95 %.' }),
      }),
    ),
  })
  .meta({ id: 'ExperimentDay' });

const list = aList({
  name: 'experiments',
  item: experimentSchema,
  filters: { status: z.enum(experimentStatuses).optional(), campaign: z.uuid().optional() },
});

const beginBody = z.strictObject({
  campaign: z.uuid(),
  mode: z.enum(experimentModes).default('test').meta({ description: '`bandit`: more people get what brings more, and nothing is judged.' }),
  channel: channelField,
  variants: z
    .array(
      z.strictObject({
        variant: z
          .string()
          .regex(/^[A-Za-z0-9][\w-]{0,39}$/, 'is no name of a variant: write letters, digits, - and _, such as A')
          .meta({ description: 'Such as `A`. Noted on every attempt.' }),
        script: z.string().max(60).meta({ description: 'The name of a script of that channel about leads.' }),
        weight: z.number().positive().max(1_000).default(1).meta({ description: 'Its share, in proportion to the others’.' }),
      }),
    )
    .min(2)
    .max(10)
    .refine((all) => new Set(all.map(({ variant }) => variant)).size === all.length, 'has a variant twice')
    .refine((all) => new Set(all.map(({ script }) => script)).size === all.length, 'has a script twice: there is nothing to compare'),
});
const unknown = ['unknown_experiment', 'No test of yours has this id.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/experiments',
    {
      schema: {
        summary: 'List the tests of variants and scripts, those that run and those that have ended',
        description: 'The latest first. A test ends by itself once one variant is better for certain.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, ...search } = request.query;
      return list.present(
        request.query.sort,
        await listExperiments(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );

  app.post(
    '/api/experiments',
    {
      schema: {
        summary: 'Compare scripts of a campaign on one channel',
        description:
          'Each lead gets one of them by chance, and keeps it, where the campaign’s own script would go out. The test ends by itself once one is better for certain.',
        body: beginBody,
        response: { 201: experimentSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { campaign: campaignId, channel, variants: arms, mode } = request.body;
      const { tenantId } = callerOf(request);
      const begun = await beginCampaignTest(deps, { tenantId, actor: actorOf(request), campaignId, channel, arms, mode });
      if (begun.kind !== 'begun') return refuse(reply, begun);
      const view = await readExperiment(deps, tenantId, begun.id);
      return view === null ? problem(reply, 404, ...unknown) : reply.code(201).send(present(view));
    },
  );

  app.get(
    '/api/experiments/:id/history',
    {
      schema: {
        summary: 'Show how a test came to stand where it does, day by day',
        description:
          'Each other variant beside the first, by the people whose window was over at the end of each day, the oldest first; 60 days at most, evenly chosen. By what is known today: an order that was taken back is in no day. Empty: nothing may be said, as of a bandit.',
        params: idParams,
        response: { 200: z.object({ data: z.array(historySchema) }), ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readExperimentHistory(deps, callerOf(request).tenantId, id) : null;
      if (found === null) return problem(reply, 404, ...unknown);
      return {
        data: found.map(({ atMs, comparisons }) => ({
          at: isoTime(atMs),
          comparisons: comparisons.map(({ id: variant, against, difference, alwaysWithin }) => ({
            ...{ variant, against, difference: difference === null ? null : 100 * difference.value },
            always_within: alwaysWithin === null ? null : { low: 100 * alwaysWithin.low, high: 100 * alwaysWithin.high },
          })),
        })),
      };
    },
  );

  app.post(
    '/api/experiments/:id/stop',
    {
      schema: {
        summary: 'Stop a test of a campaign before anything is certain',
        description: 'The campaign’s own script goes out again.',
        params: idParams,
        response: { 200: experimentSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const stopped = isId(id) ? await stopCampaignTest(deps, { tenantId, id, actor: actorOf(request) }) : null;
      if (stopped?.kind === 'not_a_campaigns')
        return problem(
          reply,
          409,
          'test_of_a_step',
          'It compares variants of a step, or courses of a sequence: publish a version without them, and it stops.',
        );
      if (stopped?.kind === 'over') return problem(reply, 409, 'test_over', 'It does not run any more.');
      const view = stopped === null ? null : await readExperiment(deps, tenantId, id);
      return view === null ? problem(reply, 404, ...unknown) : present(view);
    },
  );

  app.get(
    '/api/experiments/:id',
    { schema: { summary: 'Show a test', params: idParams, response: { 200: experimentSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const view = isId(id) ? await readExperiment(deps, callerOf(request).tenantId, id) : null;
      return view === null ? problem(reply, 404, ...unknown) : present(view);
    },
  );

  app.post(
    '/api/experiments/:id/approve',
    {
      schema: {
        summary: 'Let the winner of a test take over',
        description:
          'Of a step or a whole sequence: a new version of the sequence, for new enrollments; the version before can be published again by a rollback. Of a campaign: new enrollments get its script, until the test is dismissed.',
        params: idParams,
        response: { 200: experimentSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const taken = isId(id) ? await takeOver(deps, { tenantId, id, actor: actorOf(request) }) : null;
      if (taken === null) return problem(reply, 404, ...unknown);
      if (taken.kind === 'not_suggested')
        return problem(
          reply,
          409,
          'no_suggestion',
          taken.takeover === null ? 'The test has no winner.' : `The winner was ${taken.takeover} already.`,
        );
      if (taken.kind === 'outdated')
        return problem(
          reply,
          409,
          'test_outdated',
          'What was compared is not in use any more: the step has other variants, the campaign has ended, or the script is gone.',
        );
      if (taken.kind === 'refused')
        return problem(
          reply,
          409,
          'not_published',
          `The version with the winner was not published (${taken.why}): look at the sequence, and repeat.`,
        );
      const view = await readExperiment(deps, tenantId, id);
      return view === null ? problem(reply, 404, ...unknown) : present(view);
    },
  );

  app.post(
    '/api/experiments/:id/dismiss',
    {
      schema: {
        summary: 'Leave the variants of a test as they are',
        description: 'The test of a campaign is over by this, also where its winner had taken over: the campaign’s own script goes out again.',
        params: idParams,
        response: { 200: experimentSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const dismissed = isId(id) ? await dismissWinner(deps, { tenantId, id, actor: actorOf(request) }) : null;
      const view = dismissed === null ? null : await readExperiment(deps, tenantId, id);
      if (view === null) return problem(reply, 404, ...unknown);
      return dismissed === true ? present(view) : problem(reply, 409, 'no_suggestion', 'There is no winner to be decided about.');
    },
  );
};

function refuse(reply: FastifyReply, refused: Exclude<CampaignTestBegun, { kind: 'begun' }>): FastifyReply {
  switch (refused.kind) {
    case 'unknown_campaign':
      return problem(reply, 404, refused.kind, 'There is no such campaign.');
    case 'campaign_ended':
      return problem(reply, 409, refused.kind, 'The campaign has ended: nobody would be in the test.');
    case 'no_sequence':
      return problem(
        reply,
        409,
        refused.kind,
        'The campaign has no sequence that was activated, and contacts nobody: give it one, or activate its draft.',
      );
    case 'unknown_script':
      return problem(reply, 404, refused.kind, `There is no script named "${refused.name}".`);
    case 'script_does_not_fit':
      return problem(reply, 409, refused.kind, `The script "${refused.name}" is for another channel, or not about leads.`);
    case 'test_runs':
      return problem(reply, 409, refused.kind, 'The campaign has a test of this channel that runs: stop it first.');
  }
}

const percent = (share: number) => Number((100 * share).toFixed(3));
/** Hundredths of a minor unit say enough. */
const minor = (amount: number) => Number(amount.toFixed(2));
const inPercent = ({ low, high }: { low: number; high: number }) => ({ low: percent(low), high: percent(high) });

function presentComparison({ id, against, difference, lift, alwaysWithin, atMost, revenue }: ExperimentView['comparisons'][number]) {
  return {
    ...{ variant: id, against },
    difference: difference === null ? null : { value: percent(difference.value), interval: inPercent(difference.interval) },
    lift: lift === null ? null : { value: percent(lift.lift), interval: inPercent(lift.interval) },
    always_within: alwaysWithin === null ? null : inPercent(alwaysWithin),
    no_difference_above: atMost === null ? null : percent(atMost),
    revenue: revenue.map(({ currency, perPerson, alwaysWithin: within }) => ({
      currency,
      per_person_minor: { variant: minor(perPerson.arm), against: minor(perPerson.against) },
      always_within_minor: { low: minor(within.low), high: minor(within.high) },
    })),
  };
}

const presentForm = (form: ExperimentView['forms'][string] | undefined) =>
  form === undefined
    ? null
    : {
        content: form.content,
        model: form.model?.brief ?? null,
        channels: form.channels ?? [],
        later: form.laterMs === undefined ? null : formatDuration(form.laterMs),
        offer: form.offer === undefined ? null : form.offer !== false,
      };

function present({ experiment, sequence, campaignName, arms, forms, goesOnBecause, judgement, comparisons, guardrails, chances }: ExperimentView) {
  const { id, mode, stepId, campaignId, channel, status, startedAt, endedAt, winner, verdict, takeover, version, resolvedAt, resolvedBy } =
    experiment;
  return {
    ...{
      id,
      sequence,
      step: stepId === wholeSequence ? null : stepId,
      campaign: campaignId,
      campaign_name: campaignName,
      channel,
      mode,
      status,
      goes_on_because: goesOnBecause,
    },
    ...{ started_at: isoTime(startedAt), ended_at: isoTimeOrNull(endedAt), winner },
    p: verdict?.p ?? judgement?.p ?? null,
    z: verdict === null ? (judgement?.z ?? null) : verdict.z,
    arms: arms.map(({ variant, people, sent, opened, clicked, complete, converted }) => ({
      ...{
        variant,
        script: experiment.scripts?.[variant] ?? null,
        form: presentForm(forms[variant]),
        share: sharesNow(experiment)[variant] ?? 0,
        chance_best: chances?.[variant] ?? null,
        people,
        sent,
        opened,
        clicked,
        complete,
        converted,
      },
    })),
    comparisons: comparisons.map(presentComparison),
    guardrails: guardrails.map(({ metric, arm, people, cases, others, within, isWorse }) => ({
      ...{ metric, variant: arm, people, cases, others, always_within: within === null ? null : inPercent(within), worse: isWorse },
    })),
    decided_by: verdict?.arms.map(({ id: variant, people, converted }) => ({ variant, people, converted })) ?? null,
    ...{ takeover, version, resolved_at: isoTimeOrNull(resolvedAt), resolved_by: resolvedBy },
  };
}

export const resource: Resource = {
  tag: { name: 'experiments', description: 'Tests of variants, which end by themselves' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
