import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AccountView, readAccount } from '../../../operations/risk/read-account.ts';
import { behaviourReport, reportBehaviour } from '../../../operations/risk/report-behaviour.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idempotencyKeyOf } from '../../plugins/idempotency.ts';
import { idParams, isId, isoTime, lineField, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const mostShown = 100;

const factor = z.object({ features: z.array(z.string()), weight: z.number() });

const accountSchema = z
  .object({
    id: z.uuid(),
    contact: z.uuid().nullable(),
    name: z.string().nullable(),
    url: z.string().nullable(),
    area: z.string().nullable(),
    band: z.enum(['none', 'early', 'active', 'critical']).meta({ description: 'By its latest assessment.' }),
    externalId: z.string().nullable().meta({ description: 'What its source calls it.' }),
    created_at: timeField,
    last_activity_at: timeField,
    at: timeField.meta({ description: 'The moment that the rest is about: nothing that happened later is in it.' }),
    behaviour: z
      .array(z.object({ kind: z.string(), at: timeField, data: z.record(z.string(), z.unknown()) }))
      .meta({ description: `The latest ${mostShown} until then, the latest first.` }),
    features: z
      .record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]))
      .meta({ description: 'What the behaviour says about it. Null: unknown.' }),
    rank: z.object({ by: z.literal('rules'), score: z.number(), factors: z.array(factor) }).meta({
      description:
        'How far rules of thumb place it towards being lost, 0 to 1. A rank, and no chance: nothing is known about how often such accounts are lost.',
    }),
  })
  .meta({ id: 'Account' });

const body = z.strictObject({
  account: z
    .strictObject({
      id: lineField(200).optional().meta({ description: 'What your system calls it. Left out, the person has one account.' }),
      name: lineField(200).optional(),
      url: z.string().max(2_000).optional(),
      area: lineField(200).optional().meta({ description: 'What it is interested in, or where, as facts about the market name it.' }),
      created_at: timeField.optional(),
    })
    .default({}),
  contact: z
    .strictObject({
      email: lineField(320).optional(),
      phone: lineField(60).optional(),
      id: lineField(200).optional(),
      first_name: lineField(200).optional(),
      last_name: lineField(200).optional(),
      locale: lineField(35).optional(),
      time_zone: lineField(60).optional(),
      country: lineField(60).optional(),
    })
    .default({}),
  behaviour: z.array(behaviourReport).min(1, 'is empty').max(500, 'are more than 500'),
});

const storedSchema = z
  .object({
    account: z.uuid(),
    repeated: z.boolean(),
    notes: z.array(z.object({ field: z.string(), reason: z.string() })).meta({ description: 'Fields that were left out, or read with a guess.' }),
  })
  .meta({ id: 'BehaviourStored' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/behaviour',
    {
      config: { idempotency: 'repeatable' },
      schema: {
        summary: 'Report what an account did',
        description:
          'Up to 500 entries: visits, orders, messages, opens, calls, support and events of your own by code. All are stored, or none; a repeat adds nothing. It begins no sequence. An order or a message in it stops sequences as one that is reported by its own event does.',
        body,
        response: { 200: storedSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { account, contact, behaviour } = request.body;
      const wish = { account, contact, behaviour };
      const taken = await reportBehaviour(deps, callerOf(request).tenantId, wish, idempotencyKeyOf(request));
      switch (taken.kind) {
        case 'stored':
          return { account: taken.accountId, repeated: taken.repeated, notes: taken.notes };
        case 'invalid':
          return invalidRequest(reply, [{ path: `body/behaviour/${taken.index}/at`, message: taken.reason }]);
        case 'unreadable':
          return invalidRequest(
            reply,
            taken.fields.length === 0
              ? [{ path: 'body/account', message: taken.reason }]
              : taken.fields.map(({ field, reason }) => ({ path: field.replace(/^data\./u, 'body/').replaceAll('.', '/'), message: reason })),
          );
        case 'no_connection':
          return problem(
            reply,
            409,
            'no_connection',
            'No connection takes events of your own system: make one first, rekindle connections create generic --name Accounts.',
          );
        case 'accepted':
        case 'busy':
          return problem(reply.header('retry-after', '1'), 503, 'busy', 'It could not be applied in time. Repeat it with the same Idempotency-Key.');
      }
    },
  );

  app.get(
    '/api/accounts/:id',
    {
      schema: {
        summary: 'Show an account with its behaviour, and what that says about it',
        description: 'As of any moment: what a model learns from is what was known then.',
        params: idParams,
        querystring: z.strictObject({ at: z.iso.datetime({ offset: true }).optional().meta({ description: 'Left out, now.' }) }),
        response: { 200: accountSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { at } = request.query;
      const { id } = request.params;
      const found = isId(id) ? await readAccount(deps, callerOf(request).tenantId, id, at === undefined ? null : Date.parse(at)) : null;
      return found === null ? problem(reply, 404, 'unknown_account', 'There is no such account.') : present(found);
    },
  );
};

function present(view: AccountView): z.input<typeof accountSchema> {
  return {
    id: view.id,
    contact: view.contactId,
    name: view.name,
    url: view.url,
    area: view.area,
    band: view.band,
    externalId: view.externalIds.find(({ kind }) => kind === 'account')?.value ?? null,
    created_at: isoTime(view.createdAtMs),
    last_activity_at: isoTime(view.lastActivityAtMs),
    at: isoTime(view.atMs),
    behaviour: view.behaviour.slice(0, mostShown).map(({ kind, atMs, ...data }) => ({ kind, at: isoTime(atMs), data })),
    features: { ...view.features },
    rank: { by: 'rules', ...view.rank },
  };
}

export const resource: Resource = {
  tag: { name: 'accounts', description: 'Customers who come again: what they did, and what that says about them.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
