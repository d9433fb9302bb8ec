import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { createLead } from '../../../operations/campaigns/create-lead.ts';
import { createChatLink } from '../../../operations/chat/links.ts';
import { readAbandonment } from '../../../operations/read/abandonment.ts';
import { readContactability } from '../../../operations/read/contactability.ts';
import { listLeads, readLead } from '../../../operations/read/leads.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idempotencyKeyOf } from '../../plugins/idempotency.ts';
import { idParams, isId, lineField, isoTime } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { abandonmentSchema, presentAbandonment } from './abandonment.ts';
import { contactabilityQuery, contactabilitySchema, presentContactability } from './contactability.ts';
import { presentLead, presentLeadDetail, presentListed, wishOf } from './present.ts';
import { createBody, createdSchema, leadDetailSchema, listedLeadSchema, telegramLinkSchema } from './schemas.ts';

const list = aList({
  name: 'leads',
  fields: { updatedAt: 'time' },
  item: listedLeadSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Every lead of that person. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Every lead of that person. Read as in a webhook.' }),
    externalId: lineField(200).optional().meta({ description: 'Any id that its source has for it.' }),
  },
});

const unreadable = (field: 'email' | 'phone', where: string) => [
  { path: `${where}${field}`, message: field === 'email' ? 'is no email address' : 'is no telephone number' },
];

/** As far as anybody is put off by hand. */
const farthestMs = 90 * 86_400_000;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/leads',
    {
      schema: {
        summary: 'Find leads',
        description:
          'By an address, a number or an id of their source, each with its enrollments and attempts; without any, all of them. The newest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, ...search } = request.query;
      const found = await listLeads(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor }));
      return found.kind === 'found'
        ? list.present(request.query.sort, found.found, presentListed)
        : invalidRequest(reply, unreadable(found.field, 'querystring/'));
    },
  );

  app.get(
    '/api/leads/:id',
    {
      schema: {
        summary: 'Show a lead with its status, enrollments and attempts',
        params: idParams,
        response: { 200: leadDetailSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = isId(request.params.id) ? await readLead(deps, callerOf(request).tenantId, request.params.id) : null;
      return found === null ? problem(reply, 404, 'unknown_lead', 'There is no such lead.') : presentLeadDetail(found);
    },
  );

  app.get(
    '/api/leads/:id/abandonment',
    {
      schema: {
        summary: 'Show a lead’s silence: its stage, its attempts and its last contact',
        description:
          'For decisions about who answers the lead next. A view over the conversation and the messages: a response, a call or a purchase clears `abandonment` at once.',
        params: idParams,
        response: { 200: abandonmentSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = isId(request.params.id) ? await readAbandonment(deps, callerOf(request).tenantId, request.params.id) : null;
      return found === null ? problem(reply, 404, 'unknown_lead', 'There is no such lead.') : presentAbandonment(found);
    },
  );

  app.get(
    '/api/leads/:id/contactability',
    {
      schema: {
        summary: 'Say whether a lead may be contacted, whether the hour allows it, and when it is next possible',
        description:
          'What a message that is due then would meet, by the gates that every step meets: status, consent, address and connection, hours, and limits over all sequences. Nothing is sent or stored by asking, and what happens meanwhile may change the answer.',
        params: idParams,
        querystring: contactabilityQuery,
        response: { 200: contactabilitySchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { channel = null, campaign: campaignId = null, at } = request.query;
      const nowMs = deps.clock.nowMs();
      const atMs = at === undefined ? nowMs : Date.parse(at);
      if (atMs < nowMs - 60_000 || atMs > nowMs + farthestMs) {
        return invalidRequest(reply, [{ path: 'querystring/at', message: 'is not between now and 90 days ahead' }]);
      }
      const answer = isId(id)
        ? await readContactability(deps, callerOf(request).tenantId, { leadId: id, channel, campaignId, atMs })
        : ({ kind: 'unknown_lead' } as const);
      switch (answer.kind) {
        case 'answered':
          return presentContactability(id, atMs, answer);
        case 'unknown_lead':
          return problem(reply, 404, 'unknown_lead', 'There is no such lead.');
        case 'unknown_campaign':
          return problem(reply, 404, 'unknown_campaign', 'There is no such campaign.');
        case 'nobody':
          return problem(reply, 409, 'anonymous_lead', 'Nothing is known of this lead by which anybody could be reached.');
      }
    },
  );

  app.post(
    '/api/leads/:id/telegram-link',
    {
      schema: {
        summary: 'Make a link that leads a lead into the chat with the bot',
        description:
          'For messages to this lead alone: their chat and what is known of them become one person. It holds for seven days. The lead needs an email address or a number.',
        params: idParams,
        response: { 201: telegramLinkSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const link = isId(id) ? await createChatLink(deps, callerOf(request).tenantId, id) : ({ kind: 'unknown' } as const);
      switch (link.kind) {
        case 'made':
          return reply.code(201).send({ url: link.url, expiresAt: isoTime(link.expiresAtMs) });
        case 'unknown':
          return problem(reply, 404, 'unknown_lead', 'There is no such lead.');
        case 'anonymous':
          return problem(
            reply,
            409,
            'anonymous_lead',
            'Neither an email address nor a number of this lead is known: the chat would belong to nobody.',
          );
        case 'no_bot':
          return problem(reply, 409, 'no_bot', link.reason);
      }
    },
  );

  app.post(
    '/api/leads',
    {
      config: { idempotency: 'repeatable' },
      schema: {
        summary: 'Create a lead',
        description:
          'As an event of your own system: the same checks, and the same routing to campaigns. A person who is a lead already is not routed again; what was not known of them is filled in.',
        body: createBody,
        response: { 201: createdSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const made = await createLead(deps, tenantId, wishOf(request.body), idempotencyKeyOf(request));
      switch (made.kind) {
        case 'created': {
          const found = await readLead(deps, tenantId, made.leadId);
          if (found === null) throw new Error('a lead was not stored');
          return reply.code(201).send({ lead: presentLead(found.lead), repeated: made.repeated, notes: made.notes });
        }
        case 'unreadable':
          return invalidRequest(
            reply,
            made.fields.length === 0
              ? [{ path: 'email', message: made.reason }]
              : made.fields.map(({ field, reason }) => ({ path: field, message: reason })),
          );
        case 'no_connection':
          return problem(
            reply,
            409,
            'no_connection',
            'No connection takes events of your own system: make one first, rekindle connections create generic --name Leads.',
          );
        case 'accepted':
        case 'busy':
          return problem(reply.header('retry-after', '1'), 503, 'busy', 'It could not be applied in time. Repeat it with the same Idempotency-Key.');
      }
    },
  );
};

export const resource: Resource = {
  tag: { name: 'leads', description: 'People who asked about something, with what was tried to reach them.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
