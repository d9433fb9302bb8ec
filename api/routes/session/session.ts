import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { roleNames } from '../../../operations/access.ts';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import type { Denied, Person } from '../../../operations/identity/identity.ts';
import { oidcCallbackPath } from '../../../operations/identity/paths.ts';
import { acceptInvitation, readInvitation } from '../../../operations/identity/invitations.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isFromOwnPage, keepCookies, visitorOf } from '../../plugins/visitor.ts';
import { idParams, isId, isoTime, lineField, timeField } from '../fields.ts';

const password = z.string().min(10).max(200).meta({ description: '10 to 200 characters.' });
const emailField = z.email().max(254);
const token = z.string().max(200);
const personSchema = z
  .object({ id: z.uuid(), name: z.string(), email: z.string(), email_verified: z.boolean().meta({ description: 'Proven by an identity provider.' }) })
  .meta({ id: 'Person' });
const sessionSchema = z
  .object({
    person: personSchema,
    expires_at: timeField,
    stores: z.array(z.object({ id: z.uuid(), slug: z.string(), name: z.string(), role: z.enum(roleNames) })).meta({
      description:
        'Those that this person may come into. Requests name one of them in the header `Rekindle-Store`; with only one it may be left out.',
    }),
  })
  .meta({ id: 'Session' });
const openSessionSchema = z
  .object({
    id: z.uuid(),
    user_agent: z.string().nullable(),
    address: z.string().nullable(),
    created_at: timeField,
    expires_at: timeField,
    current: z.boolean().meta({ description: 'The one that asks.' }),
  })
  .meta({ id: 'OpenSession' });
const invitationSchema = z
  .object({
    store: z.string(),
    email: z.string(),
    role: z.enum(roleNames),
    expires_at: timeField,
    has_account: z.boolean().meta({ description: 'Somebody has an account for this address: they sign in first, and accept then.' }),
  })
  .meta({ id: 'InvitationLink' });
const done = z.null().meta({ description: 'Done.' });

const presentPerson = ({ id, name, email, emailVerified }: Person): z.input<typeof personSchema> => ({
  id,
  name,
  email,
  email_verified: emailVerified,
});

const refusals: Record<Extract<Denied, { kind: 'refused' }>['code'], [status: number, detail: string]> = {
  wrong_credentials: [401, 'The email address or the password is not right.'],
  no_session: [401, 'Nobody is signed in.'],
  wrong_password: [409, 'The current password is not right.'],
  unusable_password: [400, 'A password has 10 to 200 characters.'],
  unusable_link: [404, 'This link is used up or has expired. Ask for a new one.'],
  foreign_page: [403, 'A page of another site has sent this. Only pages of this installation may.'],
};

function refuse(reply: FastifyReply, denied: Denied): FastifyReply {
  if (denied.kind === 'too_many')
    return problem(
      reply.header('retry-after', String(denied.afterSeconds)),
      429,
      'too_many_attempts',
      'Too many attempts. Try again later, or ask whoever runs this installation for a link to a new password.',
    );
  const [status, detail] = refusals[denied.code];
  return problem(reply, status, denied.code, detail);
}

const noSession = (reply: FastifyReply) => refuse(reply, { kind: 'refused', code: 'no_session' });
const tags = ['session'];

/** People who sign in. Everything here is open: it says itself who it is about. */
export const sessionRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps; limits: Limits }> = async (app, { deps, limits }) => {
  const { identity } = deps;
  // Passwords and answers about them must not be cached.
  app.addHook('onRequest', async (request, reply): Promise<unknown> => {
    reply.header('cache-control', 'no-store');
    return isFromOwnPage(request) ? undefined : refuse(reply, { kind: 'refused', code: 'foreign_page' });
  });

  app.post(
    '/api/session',
    {
      schema: {
        ...{ tags, summary: 'Sign in with a password' },
        description: 'Sets a cookie, `HttpOnly` and `SameSite=Lax`. After ten wrong passwords for an address it waits for 15 minutes.',
        body: z.strictObject({ email: emailField, password: z.string().min(1).max(200) }),
        response: { 200: personSchema, ...problems(400, 401, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email, password: typed } = request.body;
      const answer = await identity.signIn(visitorOf(request), email, typed);
      if (answer.kind !== 'done') return refuse(reply, answer);
      keepCookies(reply, answer.cookies);
      return presentPerson(answer.value);
    },
  );

  app.get(
    '/api/session',
    {
      schema: {
        ...{ tags, summary: 'Who is signed in, and to which stores' },
        response: { 200: sessionSchema, ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = await identity.whoIs(visitorOf(request));
      if (found === null) return noSession(reply);
      keepCookies(reply, found.cookies);
      const stores = await identity.storesOf(found.person.id);
      return {
        person: presentPerson(found.person),
        expires_at: isoTime(found.expiresAtMs),
        stores: stores.map(({ tenantId, slug, name, role }) => ({ id: tenantId, slug, name, role })),
      };
    },
  );

  app.delete(
    '/api/session',
    { schema: { ...{ tags, summary: 'Sign out' }, response: { 204: done, ...problems(403, 429, 503) } } },
    async (request, reply) => {
      keepCookies(reply, await identity.signOut(visitorOf(request)));
      return reply.code(204).send(null);
    },
  );

  app.put(
    '/api/session/password',
    {
      schema: {
        ...{ tags, summary: 'Change one’s password' },
        description: 'All other sessions of this person end.',
        body: z.strictObject({ current: z.string().max(200), next: password }),
        response: { 204: done, ...problems(400, 401, 403, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const answer = await identity.changePassword(visitorOf(request), request.body.current, request.body.next);
      if (answer.kind !== 'done') return refuse(reply, answer);
      keepCookies(reply, answer.cookies);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/session/forgotten-password',
    {
      schema: {
        ...{ tags, summary: 'Have a link to a new password sent' },
        description:
          'By email, where somebody has an account with this address: the answer is the same where nobody has. Three links for an address within 15 minutes. 409 `no_sender`: the installation sends no emails of its own.',
        body: z.strictObject({ email: emailField }),
        response: { 202: z.null().meta({ description: 'If there is an account, the link is on its way.' }), ...problems(400, 403, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      if (!identity.sendsPasswordLinks)
        return problem(
          reply,
          409,
          'no_sender',
          'This installation sends no emails of its own: ask whoever runs it for a link to a new password, or have SMTP_URL and REKINDLE_MAIL_FROM set.',
        );
      const answer = await identity.forgotPassword(visitorOf(request), request.body.email);
      return answer.kind === 'done' ? reply.code(202).send(null) : refuse(reply, answer);
    },
  );

  app.post(
    '/api/session/password-link',
    {
      schema: {
        ...{ tags, summary: 'Set a new password with a link' },
        description:
          'It comes by email (`POST /api/session/forgotten-password`), or from whoever runs the installation: `npx rekindle people password-link`. All sessions of this person end.',
        body: z.strictObject({ token, password }),
        response: { 204: done, ...problems(400, 403, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const answer = await identity.resetPassword(visitorOf(request), request.body.token, request.body.password);
      return answer.kind === 'done' ? reply.code(204).send(null) : refuse(reply, answer);
    },
  );

  app.get(
    '/api/session/open',
    {
      schema: {
        ...{ tags, summary: 'List one’s open sessions' },
        response: { 200: z.object({ data: z.array(openSessionSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const all = await identity.sessions(visitorOf(request));
      if (all === null) return noSession(reply);
      return {
        data: all.map(({ id, userAgent, address, createdAtMs, expiresAtMs, isThisOne }) => ({
          ...{ id, user_agent: userAgent, address, current: isThisOne },
          ...{ created_at: isoTime(createdAtMs), expires_at: isoTime(expiresAtMs) },
        })),
      };
    },
  );

  app.delete(
    '/api/session/open/:id',
    {
      schema: {
        ...{ tags, summary: 'End one of one’s sessions', params: idParams },
        response: { 204: done, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const visitor = visitorOf(request);
      if ((await identity.whoIs(visitor)) === null) return noSession(reply);
      const ended = isId(request.params.id) && (await identity.endSession(visitor, request.params.id));
      return ended ? reply.code(204).send(null) : problem(reply, 404, 'unknown_session', 'There is no such session.');
    },
  );

  app.post(
    '/api/session/oidc',
    {
      schema: {
        ...{ tags, summary: 'Begin to sign in at the identity provider' },
        body: z.strictObject({
          return_to: z
            .string()
            .max(500)
            .regex(/^\/(?![/\\])[^\s\\]*$/, 'is no path of this installation')
            .default('/')
            .meta({ description: 'The path to which the browser comes back.' }),
        }),
        response: {
          200: z.object({ url: z.string().meta({ description: 'Where the browser goes next.' }) }).meta({ id: 'SignInAddress' }),
          ...problems(400, 403, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      if (!identity.hasOidc)
        return problem(
          reply,
          409,
          'no_identity_provider',
          'This installation has no identity provider: set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.',
        );
      const answer = await identity.beginOidc(visitorOf(request), request.body.return_to);
      if (answer.kind !== 'done') return refuse(reply, answer);
      keepCookies(reply, answer.cookies);
      return { url: answer.value };
    },
  );

  app.get(
    oidcCallbackPath,
    {
      schema: {
        ...{ tags, summary: 'The way back from the identity provider' },
        description: 'Signs in whoever began in the same browser, and goes on to where they wanted to. A refusal goes to `/sign-in?error=…`.',
        querystring: z.looseObject({ code: z.string().max(4_000).optional(), state: z.string().max(4_000).optional() }),
        response: { 302: z.null().meta({ description: 'Where the browser goes next.' }), ...problems(400, 429, 503) },
      },
    },
    async (request, reply) => {
      const { location, cookies } = await identity.finishOidc(visitorOf(request), request.url);
      keepCookies(reply, cookies);
      return reply.redirect(location);
    },
  );

  app.post(
    '/api/session/invitation',
    {
      schema: {
        ...{ tags, summary: 'What an invitation’s link leads to' },
        body: z.strictObject({ token }),
        response: { 200: invitationSchema, ...problems(400, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = await readInvitation(deps, request.body.token);
      if (found === null) return unusable(await limits.badToken(request), reply);
      const { storeName, email, role, expiresAtMs, hasAccount } = found;
      return { store: storeName, email, role, expires_at: isoTime(expiresAtMs), has_account: hasAccount };
    },
  );

  app.post(
    '/api/session/invitation/accept',
    {
      schema: {
        ...{ tags, summary: 'Accept an invitation' },
        description: 'As who is signed in, or with `name` and `password` for a new account, which is then signed in.',
        body: z.strictObject({ token, name: lineField(120).optional(), password: password.optional() }),
        response: {
          200: z
            .object({ person: personSchema, store: z.object({ id: z.uuid(), slug: z.string(), name: z.string(), role: z.enum(roleNames) }) })
            .meta({
              id: 'AcceptedInvitation',
            }),
          ...problems(400, 401, 403, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { token: given, name, password: chosen } = request.body;
      const visitor = visitorOf(request);
      const signedIn = await identity.whoIs(visitor);
      const fresh = name === undefined || chosen === undefined ? null : { name, password: chosen };
      const answer = await acceptInvitation(deps, given, signedIn?.person ?? null, fresh);
      switch (answer.kind) {
        case 'unusable_link':
          return unusable(await limits.badToken(request), reply);
        case 'unusable_password':
          return refuse(reply, { kind: 'refused', code: 'unusable_password' });
        case 'another_person':
          return problem(reply, 409, 'another_person', 'This invitation is for another address than the account that is signed in. Sign out first.');
        case 'sign_in_first':
          return problem(
            reply,
            409,
            'sign_in_first',
            'Sign in with the account of this address and accept then, or give `name` and `password` for a new account.',
          );
        case 'accepted': {
          if (signedIn === null && chosen !== undefined) {
            const begun = await identity.signIn(visitor, answer.person.email, chosen);
            if (begun.kind === 'done') keepCookies(reply, begun.cookies);
          }
          const { tenantId, slug, storeName, role } = answer.invitation;
          return { person: presentPerson(answer.person), store: { id: tenantId, slug, name: storeName, role } };
        }
      }
    },
  );
};

function unusable(waitSeconds: number | null, reply: FastifyReply): FastifyReply {
  return refuse(reply, waitSeconds === null ? { kind: 'refused', code: 'unusable_link' } : { kind: 'too_many', afterSeconds: waitSeconds });
}
