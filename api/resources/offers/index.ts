import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { addCodes, countCodes } from '../../../operations/offers/codes.ts';
import { type GrantRow, listGrants, revokeGrant } from '../../../operations/offers/grants.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const states = ['granted', 'minted', 'refused', 'revoked'] as const;

const offerSchema = z
  .object({
    id: z.uuid(),
    enrollment_id: z.uuid(),
    sequence: z.string(),
    step: z.string(),
    code_ends_with: z.string().meta({ description: 'The last three characters. Whoever has the code finds its grant by `code`.' }),
    percent_off: z.int(),
    source: z.enum(['pool', 'shopify']),
    state: z.enum(states).meta({
      description:
        '`granted`: chosen, and not yet known to the shop. `minted`: it exists. `refused`: it could not be made. `revoked`: taken back before it was sent, or by hand.',
    }),
    granted_at: timeField,
    ends_at: timeField,
    revoked_at: timeField.nullable(),
    note: z.string().nullable(),
    redeemed_at: timeField.nullable(),
    redeemed_order: z.string().nullable(),
  })
  .meta({ id: 'Offer' });

const list = aList({
  name: 'offers',
  fields: { ends_at: 'time' },
  item: offerSchema,
  filters: {
    code: lineField(100).optional().meta({ description: 'The whole code, in capitals or not.' }),
    state: z.enum(states).optional(),
  },
});

const codesSchema = z.strictObject({
  codes: z
    .array(
      z
        .string()
        .trim()
        .regex(/^[\p{L}\p{N}_-]{3,60}$/u, 'is no code: 3 to 60 letters, digits, hyphens or underscores'),
    )
    .min(1)
    .max(5_000)
    .meta({ description: 'Each usable once, by one person, as your shop has them. Upper and lower case are the same.' }),
  expires_at: z.iso
    .datetime({ offset: true })
    .nullable()
    .default(null)
    .meta({ description: 'When your shop stops taking them; an offer that would end later does not use them.' }),
});

const countsSchema = z
  .object({
    free: z.int(),
    given: z.int(),
    expired: z.int().meta({ description: 'Free, and your shop takes them no more.' }),
  })
  .meta({ id: 'OfferCodeCounts' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/offers',
    {
      schema: {
        summary: 'List the offers that were granted',
        description: 'The latest first. On what terms offers are granted is the setting `offers`.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, ...search } = request.query;
      return list.present(
        request.query.sort,
        await listGrants(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );

  app.post(
    '/api/offers/:id/revoke',
    {
      schema: {
        summary: 'Take an offer back',
        description:
          'It counts for nobody any more. A message that has promised it may be in the person’s hands: `sent`. A code that Rekindle made is closed at the shop: `at_shop` says whether it is already, and where the shop was away it is as soon as it answers. One of the pool you close there yourself.',
        params: idParams,
        response: {
          200: offerSchema.extend({ sent: z.boolean(), at_shop: z.boolean() }).meta({ id: 'RevokedOffer' }),
          ...problems(401, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const revoked = isId(id)
        ? await revokeGrant(deps, { tenantId: callerOf(request).tenantId, id, actor: actorOf(request) })
        : ({ kind: 'not_found' } as const);
      if (revoked.kind === 'revoked') return { ...present(revoked.grant), sent: revoked.sent, at_shop: revoked.atShop };
      if (revoked.kind === 'not_found') return problem(reply, 404, 'unknown_offer', 'No offer of yours has this id.');
      return problem(
        reply,
        409,
        'offer_over',
        revoked.reason === 'redeemed' ? 'It was redeemed.' : 'Its code could not be made: there is nothing to take back.',
      );
    },
  );

  app.post(
    '/api/offers/codes',
    {
      schema: {
        summary: 'Add discount codes to the pool',
        description: 'Codes that are there already stay as they are. Which codes are free nobody shows.',
        body: codesSchema,
        response: { 200: countsSchema.extend({ added: z.int() }).meta({ id: 'AddedOfferCodes' }), ...problems(400, 401, 413, 429, 503) },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      const { codes, expires_at } = request.body;
      const added = await addCodes(deps, tenantId, { codes, expiresAtMs: expires_at === null ? null : Date.parse(expires_at) }, actorOf(request));
      return { added, ...(await countCodes(deps, tenantId)) };
    },
  );

  app.get(
    '/api/offers/codes',
    { schema: { summary: 'Count the discount codes of the pool', response: { 200: countsSchema, ...problems(401, 429, 503) } } },
    (request) => countCodes(deps, callerOf(request).tenantId),
  );
};

function present(row: GrantRow): z.input<typeof offerSchema> {
  return {
    id: row.id,
    enrollment_id: row.enrollmentId,
    sequence: row.sequence,
    step: row.stepId,
    code_ends_with: row.code.slice(-3),
    percent_off: row.percentOff,
    source: row.source,
    state: row.state,
    granted_at: isoTime(row.grantedAt),
    ends_at: isoTime(row.endsAt),
    revoked_at: isoTimeOrNull(row.revokedAt),
    note: row.note,
    redeemed_at: isoTimeOrNull(row.redeemedAt),
    redeemed_order: row.redeemedOrder,
  };
}

export const resource: Resource = {
  tag: { name: 'offers', description: 'Discounts for single persons: codes, grants, and taking one back.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
