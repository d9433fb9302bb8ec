import { timingSafeEqual } from 'node:crypto';
import cors from '@fastify/cors';
import type { Payload } from '@temporalio/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { may } from '../../../operations/access.ts';
import { hashApiKey } from '../../../operations/api-keys.ts';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { createPayloadCodec, isEncrypted, type PayloadKeys, PayloadKeyError, storeOfPayload } from '../../../temporal/payload-codec.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Limit } from '../../plugins/rate-limits.ts';
import { keepCookies, visitorOf } from '../../plugins/visitor.ts';

interface CodecOptions {
  deps: Pick<BuiltDeps, 'identity'>;
  keys: PayloadKeys;
  /** SHA-256 of the installation's key, hex; null: there is none. */
  installationDigest: string | null;
  /** Where the Web UI is; null: nowhere, so that no page may ask. */
  uiOrigin: string | null;
  failed: Limit;
}

const base64 = z.string().regex(/^[\w+/-]*={0,2}$/, 'is not base64');
/** Protobuf’s JSON of a payload. */
const payloadSchema = z.object({ metadata: z.record(z.string().max(200), base64).default({}), data: base64.default('') });
const payloadsSchema = z.object({ payloads: z.array(payloadSchema).max(5_000).default([]) }).meta({ id: 'Payloads' });
type Shown = z.output<typeof payloadSchema>;

/** Whose payloads somebody may read. */
type Reach = 'everything' | ReadonlySet<string>;

/**
 * Temporal’s protocol for codec servers: its Web UI and its command ask here for what is encrypted. The installation’s key reads everything. Somebody who is
 * signed in reads the payloads of the stores that they administer; others come back as they are.
 */
export const codecRoutes: FastifyPluginAsyncZod<CodecOptions> = async (app, { deps, keys, installationDigest, uiOrigin, failed }) => {
  const codec = createPayloadCodec(keys);
  await app.register(cors, {
    origin: uiOrigin === null ? false : [uiOrigin],
    methods: ['POST'],
    allowedHeaders: ['authorization', 'content-type', 'x-namespace', 'caller-type'],
    credentials: true,
    maxAge: 600,
    strictPreflight: false,
  });

  const reachOf = async (request: FastifyRequest, reply: FastifyReply): Promise<Reach | null> => {
    const { authorization, cookie, origin } = request.headers;
    const key = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
    if (key !== undefined && installationDigest !== null && timingSafeEqual(Buffer.from(hashApiKey(key)), Buffer.from(installationDigest)))
      return 'everything';
    if (key === undefined && cookie !== undefined) {
      if (origin !== undefined && origin !== uiOrigin && !app.ownOrigins.includes(origin))
        return refuse(problem(reply, 403, 'foreign_page', 'A page of another site has sent this. The Web UI’s address is TEMPORAL_UI_URL.'));
      const signedIn = await deps.identity.whoIs(visitorOf(request));
      if (signedIn !== null) {
        keepCookies(reply, signedIn.cookies);
        const stores = await deps.identity.storesOf(signedIn.person.id);
        const administered = stores.filter(({ role }) => may(role, 'administer')).map(({ slug }) => slug);
        if (administered.length > 0) return new Set(administered);
        return refuse(problem(reply, 403, 'forbidden', 'Payloads are read by who administers a store. Ask an owner for the role admin.'));
      }
    }
    const waitSeconds = await failed(request);
    if (waitSeconds !== null)
      return refuse(problem(reply.header('retry-after', String(waitSeconds)), 429, 'too_many_attempts', 'Too many attempts. Try again later.'));
    const detail = 'Sign in to the dashboard in this browser, or give the installation’s key: `Authorization: Bearer …`.';
    return refuse(problem(reply.header('www-authenticate', 'Bearer realm="rekindle"'), 401, 'no_session', detail));
  };

  const schema = (summary: string) => ({
    tags: ['codec'],
    security: [{ installationKey: [] }, { session: [] }],
    summary,
    description:
      'Temporal’s protocol for codec servers, for its Web UI and its command: https://docs.temporal.io/codec-server. It is there where the payloads of workflows are encrypted (`REKINDLE_TEMPORAL_KEY`).',
    body: payloadsSchema,
    response: { 200: payloadsSchema, ...problems(400, 401, 403, 409, 429) },
  });

  app.post('/codec/decode', { schema: schema('Decrypt payloads of workflows') }, async (request, reply) => {
    const reach = await reachOf(request, reply);
    if (reach === null) return reply;
    try {
      const payloads = await Promise.all(
        request.body.payloads.map(async (shown) => {
          const payload = read(shown);
          const store = storeOfPayload(payload);
          if (reach !== 'everything' && (!isEncrypted(payload) || store === null || !reach.has(store))) return shown;
          return show((await codec.decode([payload]))[0] ?? payload);
        }),
      );
      return { payloads };
    } catch (error) {
      if (!(error instanceof PayloadKeyError)) throw error;
      return problem(reply, 409, error.code, error.message);
    }
  });

  app.post('/codec/encode', { schema: schema('Encrypt payloads for workflows') }, async (request, reply) => {
    if ((await reachOf(request, reply)) === null) return reply;
    return { payloads: (await codec.encode(request.body.payloads.map(read))).map(show) };
  });
};

/** It was answered already. */
const refuse = (_answered: FastifyReply): null => null;

const read = ({ metadata, data }: Shown): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
  data: Buffer.from(data, 'base64'),
});

const show = ({ metadata, data }: Payload): Shown => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
  data: Buffer.from(data ?? []).toString('base64'),
});
