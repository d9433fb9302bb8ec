import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelNames } from '../../../domain/channels/index.ts';
import { type NotSentSummary, totalsOf, whyNotSent } from '../../../operations/read/why-not-sent.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, lineField, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const query = z.strictObject({
  days: z.coerce.number().int().min(1).max(90).default(7).meta({ description: 'How many days back, from now.' }),
  sequence: lineField(100).optional().meta({ description: 'Its slug.' }),
  channel: z.enum(channelNames).optional(),
});

const reason = {
  kind: z.enum(['normal_wait', 'as_planned', 'blocker']).meta({
    description:
      '`normal_wait`: the message goes out later by itself. `as_planned`: it is left out, because the sequence says so or the person has decided. `blocker`: something is in the way that somebody can remove.',
  }),
  verdict: z.enum(['defer', 'hold', 'skip', 'stop']),
  reason: z.string(),
  subject_kind: z.string(),
  sentence: z.string(),
  count: z.int().meta({ description: 'Messages, each once a day and reason, however often it was decided about.' }),
};

const summarySchema = z
  .object({
    from: timeField,
    to: timeField,
    time_zone: z.string().meta({ description: 'The store’s: its days are those of the rows.' }),
    reasons: z.array(z.object(reason)).meta({ description: 'Over all days, sequences and channels: what is in the way first.' }),
    not_begun: z
      .array(
        z.object({
          day: z.iso.date().meta({ description: 'On which it was first reported.' }),
          subject_kind: z.string(),
          sequence: z.string().nullable().meta({ description: 'null: no sequence could begin.' }),
          reason: z.string(),
          sentence: z.string(),
          count: z.int(),
        }),
      )
      .meta({ description: 'What no sequence was begun about, and why.' }),
    rows: z
      .array(z.object({ day: z.iso.date(), sequence: z.string(), channel: z.string(), ...reason }))
      .meta({ description: 'The newest day first.' }),
  })
  .meta({ id: 'ExplainSummary' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/explain/summary',
    {
      schema: {
        summary: 'Explain why messages were not sent',
        description:
          'What was put off, held and left out, and the steps that were still to come when something ended their sequence: by reason, channel, sequence and day, a normal wait apart from what is in the way.',
        querystring: query,
        response: { 200: summarySchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { days, sequence, channel } = request.query;
      const wish = { days, sequence: sequence ?? null, channel: channel ?? null };
      return presentSummary(await whyNotSent(deps, callerOf(request).tenantId, wish));
    },
  );
};

function presentSummary({ fromMs, toMs, timeZone, rows, notBegun }: NotSentSummary): z.input<typeof summarySchema> {
  const common = (r: NotSentSummary['rows'][number] | ReturnType<typeof totalsOf>[number]) => ({
    kind: r.kind,
    verdict: r.verdict,
    reason: r.reason,
    subject_kind: r.subjectKind,
    sentence: r.sentence,
    count: r.count,
  });
  return {
    from: isoTime(fromMs),
    to: isoTime(toMs),
    time_zone: timeZone,
    reasons: totalsOf(rows).map(common),
    not_begun: notBegun.map(({ subjectKind, ...r }) => ({ ...r, subject_kind: subjectKind })),
    rows: rows.map((r) => ({ day: r.day, sequence: r.sequence, channel: r.channel, ...common(r) })),
  };
}

export const resource: Resource = {
  tag: { name: 'explain', description: 'Why messages were not sent.' },
  guard: 'tenant',
  changes: null,
  routes,
};
