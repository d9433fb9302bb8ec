import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { guardrailMetrics } from '../../../operations/experiments/standing.ts';
import {
  approveSuggestion,
  type Dismissal,
  dismissSuggestion,
  draftSuggestedText,
  type DraftedSuggestion,
  readDismissals,
  readSuggestions,
  suggestionKinds,
  suggestionSources,
} from '../../../operations/learning/suggestions.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { inPercent, intervalSchema, percent } from '../learning/schemas.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

/** Long enough for a figure, and short enough for the sequence as it is. */
const days = 90;

const suggestionSchema = z
  .object({
    id: z.string().meta({ description: 'The same for the same change of the same version.' }),
    sequence: z.string(),
    name: z.string(),
    version: z.int().meta({ description: 'The version in use, of which it is a change.' }),
    step: z.string(),
    kind: z.enum(suggestionKinds),
    change: z.string().meta({ description: 'In a sentence: what one half of the people would get otherwise.' }),
    evidence: z
      .object({
        source: z.enum(suggestionSources).meta({
          description:
            '`drop_off`: where the sequence loses most. `delay_test`: a delay that did better in a test that is over. `hours`: when the channel sells best. `phrases`: words that texts of the channel do better with.',
        }),
        definition: z.string(),
        n: z.int().meta({ description: 'People or messages; of `phrases`, tests.' }),
        left: z.int().nullable().meta({ description: 'Of a `drop_off`; null: it is about something else.' }),
        converted: z.int().nullable().meta({ description: 'Of another source; null: it is about something else.' }),
        rate: z.number().meta({ description: 'Percent; of `phrases`, how much better texts with it did than those beside them in the same test.' }),
        interval: intervalSchema,
        advice: z.string(),
        by_hours_p: z.number().nullable(),
        q: z
          .number()
          .nullable()
          .meta({ description: 'Of `phrases`: p, adjusted for everything that is judged on the channel (Benjamini and Hochberg); else null.' }),
      })
      .meta({ description: 'Why it is suggested. It is no proof of an effect: that is what the comparison is for.' }),
    target: z.string().meta({ description: 'What the comparison is decided by.' }),
    counter_metrics: z
      .array(z.enum(guardrailMetrics))
      .meta({ description: 'What must not get worse: an arm that does harm for certain is taken out.' }),
    text: z
      .object({
        channel: z.string(),
        phrase: z.string().meta({ description: 'Has to be in it.' }),
        name: z.string().meta({ description: 'Under which the sequence file names it.' }),
        now: z.string().nullable().meta({ description: 'What the step says now, as it was written; null: only its compiled form is kept.' }),
      })
      .nullable()
      .meta({ description: 'A text that has to be written before it can be approved; null: none.' }),
    draft: z
      .string()
      .meta({ description: 'The whole sequence file with the comparison in it, YAML. Nothing of it is in use before it is approved.' }),
  })
  .meta({ id: 'Suggestion' });

const dismissalSchema = z
  .object({
    sequence: z.string(),
    step: z.string(),
    kind: z.string(),
    dismissed_at: z.iso.datetime(),
    dismissed_by: z.string(),
    reason: z.string(),
    n: z.int().meta({ description: 'Of its evidence.' }),
    rate: z.number().meta({ description: 'Of its evidence, percent.' }),
  })
  .meta({ id: 'SuggestionDismissal' });

const textField = z.string().trim().min(1).max(50_000);

const scriptSchema = z
  .object({
    by: z.enum(['model', 'template']),
    model: z.string().nullable(),
    text: z
      .string()
      .nullable()
      .meta({ description: 'As files of texts are. Of `template`: what the step says now; null: only its compiled form is kept.' }),
    reason: z.string().nullable().meta({
      description: 'Why no model wrote it: `not_connected`, `no_model`, `wrong_key`, `over_budget`, `language`, `guard` or what came of the call.',
    }),
    refused: z.array(z.string()).meta({ description: 'What the guardrails found in the last text of the model.' }),
  })
  .meta({ id: 'SuggestedScript' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const since = () => deps.clock.nowMs() - days * 86_400_000;

  app.get(
    '/api/suggestions',
    {
      schema: {
        summary: 'List comparisons that the results suggest',
        description:
          'What each sequence might try, drafted as a comparison by chance: where it loses most, by what began in the last 90 days, a delay that did better in a test that is over, the hour at which a channel sells best, and words that texts do better with. Sequences that compare something already, and what was compared once, are not among them, nor what somebody dismissed while it rests on the same.',
        response: { 200: z.object({ data: z.array(suggestionSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({ data: (await readSuggestions(deps, callerOf(request).tenantId, since())).map(present) }),
  );

  app.get(
    '/api/suggestions/dismissed',
    {
      schema: {
        summary: 'List suggestions that somebody dismissed',
        description: 'The latest first: who, when and why, and what each rested on then.',
        response: { 200: z.object({ data: z.array(dismissalSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({ data: (await readDismissals(deps, callerOf(request).tenantId)).map(presentDismissal) }),
  );

  app.post(
    '/api/suggestions/:id/dismiss',
    {
      schema: {
        summary: 'Dismiss a suggestion',
        description:
          'It is not made again, by other versions of the sequence neither, until what it rests on has changed: another cause, twice the people, or a rate outside of the interval that was stated.',
        params: z.object({ id: z.string().max(60) }),
        body: z.object({
          reason: z.string().trim().min(1).max(500).meta({ description: 'For colleagues who ask later.', example: 'We do not write texts.' }),
        }),
        response: { 200: dismissalSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const dismissed = await dismissSuggestion(deps, {
        ...{ tenantId: callerOf(request).tenantId, id: request.params.id, actor: actorOf(request), reason: request.body.reason },
        sinceMs: since(),
      });
      return dismissed === null
        ? problem(reply, 404, 'unknown_suggestion', 'It is not suggested, or not any more: list the suggestions again.')
        : presentDismissal(dismissed);
    },
  );

  app.post(
    '/api/suggestions/:id/draft',
    {
      schema: {
        summary: 'Have a model write the text of a suggestion',
        description:
          'Under the guardrails of every text of a model, from the same budget, and with the phrase in it. Nothing is stored and nothing is in use: read it, change it, and approve the suggestion with it. Where no model writes it, the answer has the text of the step and the reason.',
        params: z.object({ id: z.string().max(60) }),
        response: { 200: scriptSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const drafted = await draftSuggestedText(deps, { tenantId: callerOf(request).tenantId, id: request.params.id, sinceMs: since() });
      if (drafted.kind === 'unknown')
        return problem(reply, 404, 'unknown_suggestion', 'It is not suggested, not any more, or compares no texts: list the suggestions again.');
      const { by, text } = drafted;
      return by === 'model'
        ? { by, model: drafted.model, text, reason: null, refused: [] }
        : { by, model: null, text, reason: drafted.reason, refused: drafted.refused };
    },
  );

  app.post(
    '/api/suggestions/:id/approve',
    {
      schema: {
        summary: 'Publish a suggested comparison',
        description:
          'As a new version of its sequence, for new enrollments; the version before can be published again by a rollback. The test begins with the first person, and ends by itself.',
        params: z.object({ id: z.string().max(60) }),
        body: z
          .strictObject({
            text: textField.optional().meta({
              description:
                'Of a suggestion with `text`: what somebody wrote, or took from a draft. It is compiled as every text is, and has to have the phrase.',
            }),
          })
          .nullish(),
        response: { 200: z.object({ sequence: z.string(), version: z.int() }), ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const approved = await approveSuggestion(deps, {
        ...{ tenantId: callerOf(request).tenantId, id: request.params.id, actor: actorOf(request) },
        ...{ sinceMs: since(), text: request.body?.text ?? null },
      });
      if (approved.kind === 'text') return problem(reply, 400, 'unusable_text', approved.why);
      if (approved.kind === 'approved') return { sequence: approved.sequence, version: approved.version };
      if (approved.kind === 'unknown')
        return problem(reply, 404, 'unknown_suggestion', 'It is not suggested, or not any more: list the suggestions again.');
      return problem(
        reply,
        409,
        'not_published',
        `The version with the comparison was not published (${approved.why}): look at the sequence, and repeat.`,
      );
    },
  );
};

const presentDismissal = ({ sequence, step, kind, dismissedAtMs, dismissedBy, reason, n, rate }: Dismissal): z.input<typeof dismissalSchema> => ({
  ...{ sequence, step, kind, dismissed_at: new Date(dismissedAtMs).toISOString(), dismissed_by: dismissedBy, reason, n, rate: percent(rate) },
});

const definitions: Record<DraftedSuggestion['evidence']['source'], string> = {
  drop_off: 'Those to whom the step’s message went out and whose sequence ended behind it without a conversion, of all to whom it went out.',
  delay_test: 'Who ordered within the goal’s window, of the people who were assigned to the better delay and whose window is over.',
  hours:
    'Messages of the last 180 days at that hour of the days named, those of the last week left out, and of these the ones that an order of the week after is credited to.',
  phrases:
    'Over the tests in which some texts have it and some have not, the mean of how far the conversion rates of those with it are above those without it, relative to the mean of the test.',
};

function present({ id, sequence, name, version, step, kind, change, evidence, file, text }: DraftedSuggestion): z.input<typeof suggestionSchema> {
  const { source, n, cases, rate, interval, advice, byHoursP, q } = evidence;
  const isLoss = source === 'drop_off';
  return {
    ...{ id, sequence, name, version, step, kind, change, draft: file },
    text: text === null ? null : { channel: text.channel, phrase: text.phrase, name: text.content, now: text.now },
    evidence: {
      source,
      definition: definitions[source],
      ...{
        n,
        left: isLoss ? cases : null,
        converted: isLoss || source === 'phrases' ? null : cases,
        rate: percent(rate),
        interval: inPercent(interval),
        advice,
        by_hours_p: byHoursP,
        q,
      },
    },
    target: 'People who order within the goal’s window, of all who were assigned, whether or not they got a message.',
    counter_metrics: [...guardrailMetrics],
  };
}

export const resource: Resource = {
  tag: { name: 'suggestions', description: 'Comparisons that the results suggest, as drafts' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
