import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  type CampaignRefused,
  campaignStatuses,
  type CampaignView,
  changeCampaign,
  createCampaign,
  listCampaigns,
  readCampaign,
} from '../../../operations/campaigns/campaigns.ts';
import { enterCampaign } from '../../../operations/campaigns/enter.ts';
import { enrollLeads } from '../../../operations/campaigns/enroll-leads.ts';
import { leadsOfCampaign } from '../../../operations/campaigns/leads-of-campaign.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, noteField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { fieldsOf, presentCampaign, presentCampaignLead } from './present.ts';
import { campaignLeadSchema, campaignSchema, changeBody, createBody, enrollBody, enrolledSchema, enteredSchema } from './schemas.ts';

const list = aList({ name: 'campaigns', fields: { name: 'text' }, item: campaignSchema, filters: { status: z.enum(campaignStatuses).optional() } });
const leadList = aList({ name: 'campaign-leads', item: campaignLeadSchema, filters: {} });
const unknown = ['unknown_campaign', 'There is no such campaign.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/campaigns',
    {
      schema: {
        summary: 'Create a campaign',
        description:
          'It takes new leads by their source, up to a number, and contacts them by a sequence. A sequence that a campaign uses is begun by campaigns and no more by itself.',
        body: createBody,
        response: { 201: campaignSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { status, ...body } = request.body;
      const nothing = { autoAssign: null, sequence: null, schedule: null, rate: null, call: null };
      const fields = { ...nothing, ...fieldsOf(body), name: body.name };
      const made = await createCampaign(deps, { tenantId: callerOf(request).tenantId, actor: actorOf(request), fields, status });
      return made.kind === 'done' ? reply.code(201).send(presentCampaign(made.view)) : refuse(reply, made);
    },
  );

  app.get(
    '/api/campaigns',
    {
      schema: {
        summary: 'List campaigns, the newest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, status } = request.query;
      return list.present(
        request.query.sort,
        await listCampaigns(deps, callerOf(request).tenantId, { status }, pageWanted({ limit, sort, cursor })),
        presentCampaign,
      );
    },
  );

  app.get(
    '/api/campaigns/:id',
    { schema: { params: idParams, summary: 'Show a campaign', response: { 200: campaignSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const found = isId(request.params.id) ? await readCampaign(deps, callerOf(request).tenantId, request.params.id) : null;
      return found === null ? problem(reply, 404, ...unknown) : presentCampaign(found);
    },
  );

  app.patch(
    '/api/campaigns/:id',
    {
      schema: {
        summary: 'Change, pause, resume or end a campaign',
        description:
          'What is left out stays. `status: PAUSED` holds everybody in it and moves no due time; `ACTIVE` goes on; `ENDED` is final, and everybody in it exits.',
        params: idParams,
        body: changeBody,
        response: { 200: campaignSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { status, ...body } = request.body;
      if (!isId(id)) return problem(reply, 404, ...unknown);
      const patch = { tenantId: callerOf(request).tenantId, id, actor: actorOf(request), fields: fieldsOf(body), status };
      const changed = await changeCampaign(deps, patch);
      if (changed === null) return problem(reply, 404, ...unknown);
      return changed.kind === 'done' ? presentCampaign(changed.view) : refuse(reply, changed);
    },
  );

  app.get(
    '/api/campaigns/:id/leads',
    {
      schema: {
        summary: 'List the leads of a campaign, the newest first',
        params: idParams,
        querystring: leadList.query,
        response: { 200: leadList.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const found: CampaignView | null = isId(id) ? await readCampaign(deps, tenantId, id) : null;
      if (found === null) return problem(reply, 404, ...unknown);
      const { limit, sort, cursor } = request.query;
      const page = await leadsOfCampaign(deps, { tenantId, campaignId: id }, pageWanted({ limit, sort, cursor }));
      return leadList.present(request.query.sort, page, presentCampaignLead);
    },
  );

  app.post(
    '/api/campaigns/:id/leads',
    {
      schema: {
        summary: 'Put a lead into a campaign, or begin its sequence anew',
        description:
          'The steps count from now. What a start by hand refuses is refused, and the rules of re-entry hold: the answer says why the sequence was not begun.',
        params: idParams,
        body: z.strictObject({ lead: z.uuid(), note: noteField.optional() }),
        response: { 200: enteredSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { lead, note } = request.body;
      if (!isId(id)) return problem(reply, 404, ...unknown);
      const entry = { tenantId: callerOf(request).tenantId, campaignId: id, subjectId: lead, by: 'hand' as const, actor: actorOf(request), note };
      const entered = await enterCampaign(deps, entry);
      switch (entered.kind) {
        case 'entered':
          return { lead, enrollment: entered.enrollmentId, reason: entered.reason };
        case 'unknown_campaign':
          return problem(reply, 404, ...unknown);
        case 'unknown_lead':
          return problem(reply, 404, 'unknown_lead', 'There is no such lead.');
        case 'full':
          return problem(reply, 409, 'campaign_full', 'The campaign has as many leads as it takes: raise `autoAssign.maxLeads`.');
        case 'not_active':
          return problem(reply, 409, 'campaign_not_active', 'The campaign is paused or has ended: it takes no leads.');
      }
    },
  );

  app.post(
    '/api/campaigns/:id/enroll',
    {
      schema: {
        summary: 'Begin the sequence of a campaign for the leads on its list',
        description:
          'For those who are in no sequence of it yet, or again for those who dropped out without converting. Each is checked as one lead is, and the rules of re-entry hold; the answer says of each why it was not begun. A part at a time: go on with `after` set to `next` until it is null. A repeat begins nothing twice.',
        params: idParams,
        body: enrollBody,
        response: { 200: enrolledSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { which, leads = null, note, limit, after = null } = request.body;
      if (!isId(id)) return problem(reply, 404, ...unknown);
      const wish = { tenantId: callerOf(request).tenantId, campaignId: id, which, leads, note, limit, after, actor: actorOf(request) };
      const enrolled = await enrollLeads(deps, wish);
      if (enrolled === null) return problem(reply, 404, ...unknown);
      if (enrolled === 'not_active') return problem(reply, 409, 'campaign_not_active', 'The campaign is paused or has ended: it takes no leads.');
      const results = enrolled.results.map(({ lead, enrollmentId, reason }) => ({ lead, enrollment: enrollmentId, reason }));
      return { results, enrolled: results.filter(({ enrollment }) => enrollment !== null).length, next: enrolled.next };
    },
  );
};

function refuse(reply: FastifyReply, refused: CampaignRefused): FastifyReply {
  switch (refused.kind) {
    case 'unknown_sequence':
      return problem(reply, 404, refused.kind, 'There is no published sequence of that name.');
    case 'not_about_leads':
      return invalidRequest(reply, [{ path: 'sequence', message: `is about a ${refused.about}: a campaign needs one about leads` }]);
    case 'name_taken':
      return problem(reply, 409, refused.kind, 'Another campaign has this name.');
    case 'ended':
      return problem(reply, 409, 'campaign_ended', 'The campaign has ended and stays as it is: create another one.');
  }
}

export const resource: Resource = {
  tag: { name: 'campaigns', description: 'Leads that are taken by their source and contacted by one sequence, under one schedule.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
