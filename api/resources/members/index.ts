import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { roleNames } from '../../../operations/access.ts';
import { type InvitationView, invitationDays, invite, listInvitations, revokeInvitation } from '../../../operations/identity/invitations.ts';
import { sendInvitation } from '../../../operations/identity/send-invitation.ts';
import { changeMember, listMembers, type MemberChanged, type MemberView } from '../../../operations/identity/members.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const role = z.enum(roleNames).meta({
  description:
    'A `viewer` sees, an `agent` works with people, an `editor` changes what is sent, an `admin` how the store works, an `owner` lets others in.',
});
const by = z.string().meta({ description: '`person:<id>` or `api_key:<id>`.' });
const memberSchema = z
  .object({ id: z.uuid().meta({ description: 'The person’s.' }), name: z.string(), email: z.string(), role, invited_by: by, since: timeField })
  .meta({ id: 'Member' });
const invitationSchema = z
  .object({
    ...{ id: z.uuid(), email: z.string(), role, invited_by: by },
    created_at: timeField,
    expires_at: timeField,
    accepted_at: timeField.nullable(),
    revoked_at: timeField.nullable().meta({ description: 'Revoked by hand, or replaced by a newer one.' }),
  })
  .meta({ id: 'Invitation' });
const newInvitationSchema = z
  .object({
    id: z.uuid(),
    url: z.string().meta({ description: 'The link for the person who is invited. Shown once: give it to nobody else.' }),
    expires_at: timeField,
    email: z
      .object({
        state: z.enum(['sent', 'failed', 'not_configured', 'not_wanted']).meta({
          description: '`not_configured`: neither the store nor the installation has a sender for it, so hand the link over.',
        }),
        detail: z.string().nullable().meta({ description: 'Of `failed`: what the mail server answered.' }),
      })
      .meta({ description: 'Whether the link was sent to the person.' }),
  })
  .meta({ id: 'NewInvitation' });
const memberList = aList({ name: 'members', first: 'oldest', item: memberSchema, filters: {} });
const invitationList = aList({ name: 'invitations', first: 'oldest', item: invitationSchema, filters: {} });
const done = z.null().meta({ description: 'Done.' });

const presentMember = ({ id, name, email, role: is, invitedBy, sinceMs }: MemberView): z.input<typeof memberSchema> => ({
  ...{ id, name, email, role: is, invited_by: invitedBy, since: isoTime(sinceMs) },
});
const presentInvitation = (one: InvitationView): z.input<typeof invitationSchema> => ({
  ...{ id: one.id, email: one.email, role: one.role, invited_by: one.invitedBy },
  created_at: isoTime(one.createdAtMs),
  expires_at: isoTime(one.expiresAtMs),
  accepted_at: isoTimeOrNull(one.acceptedAtMs),
  revoked_at: isoTimeOrNull(one.revokedAtMs),
});

function answerChange(reply: FastifyReply, changed: MemberChanged): FastifyReply {
  switch (changed) {
    case 'done':
      return reply.code(204).send(null);
    case 'unknown':
      return problem(reply, 404, 'unknown_member', 'There is no such member.');
    case 'last_owner':
      return problem(reply, 409, 'last_owner', 'This is the store’s last owner. Make somebody else an owner first.');
  }
}

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/members',
    {
      schema: {
        summary: 'List who may come into the store',
        querystring: memberList.query,
        response: { 200: memberList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return memberList.present(
        request.query.sort,
        await listMembers(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })),
        presentMember,
      );
    },
  );

  app.patch(
    '/api/members/:id',
    {
      schema: {
        summary: 'Change what a member is',
        params: idParams,
        body: z.strictObject({ role }),
        response: { 204: done, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      return answerChange(
        reply,
        isId(id) ? await changeMember(deps, callerOf(request).tenantId, id, request.body.role, actorOf(request)) : 'unknown',
      );
    },
  );

  app.delete(
    '/api/members/:id',
    { schema: { summary: 'Remove a member', params: idParams, response: { 204: done, ...problems(401, 404, 409, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      return answerChange(reply, isId(id) ? await changeMember(deps, callerOf(request).tenantId, id, null, actorOf(request)) : 'unknown');
    },
  );

  app.get(
    '/api/invitations',
    {
      // Whom owners want to let in is theirs to know.
      config: { permission: 'own' },
      schema: {
        summary: 'List invitations',
        querystring: invitationList.query,
        response: { 200: invitationList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return invitationList.present(
        request.query.sort,
        await listInvitations(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })),
        presentInvitation,
      );
    },
  );

  app.post(
    '/api/invitations',
    {
      schema: {
        summary: 'Invite somebody into the store',
        description: `The link is sent to the person, by the store's connected account for emails or the installation's sender (\`REKINDLE_MAIL_FROM\`), and is in the answer. It opens for ${invitationDays} days, once. An earlier invitation of the same address opens nothing any more.`,
        body: z.strictObject({
          email: z.email().max(254),
          role,
          send: z.boolean().default(true).meta({ description: 'False: no email, you hand the link over.' }),
        }),
        response: { 201: newInvitationSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { send, ...wish } = request.body;
      const made = await invite(deps, tenantId, wish, actorOf(request));
      if (made === null) return problem(reply, 409, 'already_member', 'This person is a member already: change the role instead.');
      // Behind the hash, so that no server's log has it.
      const url = `${deps.publicUrl}/invitation#${made.token}`;
      const sent = send ? await sendInvitation(deps, tenantId, { ...wish, url }) : ({ kind: 'not_wanted' } as const);
      const email = { state: sent.kind, detail: sent.kind === 'failed' ? sent.detail : null };
      return reply.code(201).send({ id: made.id, url, expires_at: isoTime(made.expiresAtMs), email });
    },
  );

  app.delete(
    '/api/invitations/:id',
    { schema: { summary: 'Revoke an invitation', params: idParams, response: { 204: done, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const revoked = isId(id) && (await revokeInvitation(deps, callerOf(request).tenantId, id, actorOf(request)));
      return revoked
        ? reply.code(204).send(null)
        : problem(reply, 404, 'unknown_invitation', 'There is no such invitation, or it cannot be accepted any more.');
    },
  );
};

export const resource: Resource = {
  tag: { name: 'members', description: 'People who may come into the store, and those who are invited.' },
  guard: 'tenant',
  changes: 'own',
  routes,
};
