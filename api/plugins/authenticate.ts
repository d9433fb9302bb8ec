import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../../operations/deps.ts';
import { leastRoleFor, may, type Permission, type Role } from '../../operations/access.ts';
import { hashApiKey, resolveKey } from '../../operations/api-keys.ts';
import type { Identity } from '../../operations/identity/identity.ts';
import { problem } from './errors.ts';
import type { Limit } from './rate-limits.ts';
import { isFromOwnPage, isUpgrade, keepCookies, visitorOf } from './visitor.ts';
import { takeRequestId } from './request-ids.ts';

/** Who calls. The tenant follows from the credential, never from a parameter. */
export interface Caller {
  tenantId: string;
  role: Role;
  /** For the audit log: `api_key:<id>` or `person:<id>`. */
  actor: string;
}

const callers = new WeakMap<FastifyRequest, Caller>();

/** The caller of a request on a guarded route. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('this route is not guarded: register it behind requireCaller');
  return caller;
}

/** The same where there may be none: the route is open, or behind the installation's key. */
export const findCaller = (request: FastifyRequest): Caller | null => callers.get(request) ?? null;

/** Who made a change, for the audit log. */
export const actorOf = (request: FastifyRequest): string => callerOf(request).actor;

/** The same for what is done with the installation's key. */
export const installationActor = 'installation_key';

/**
 * A hook that refuses requests of nobody: it takes a valid API key, given as `Authorization: Bearer rk_…` or `X-API-Key: rk_…`, or the cookie of a person who
 * is a member of the store that the header `Rekindle-Store` names. It refuses those, too, whose role may not do what the route needs.
 */
export function requireCaller(deps: Pick<Deps, 'db' | 'clock' | 'log'> & { identity: Identity }, failed: Limit) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const key = keyOf(request);
    if (key === null && request.headers.cookie !== undefined) return admitPerson(request, reply, deps.identity);
    // A text that cannot be a key is refused without a query.
    const found = key !== null && /^rk_[\w-]{20,100}$/.test(key) ? await resolveKey(deps, key) : null;
    if (found !== null) {
      takeRequestId(request, reply);
      callers.set(request, { tenantId: found.tenantId, role: found.role, actor: `api_key:${found.id}` });
      return refuseUnlessAllowed(request, reply, found.role);
    }
    const waitSeconds = await failed(request);
    if (waitSeconds !== null)
      return problem(
        reply.header('retry-after', String(waitSeconds)),
        429,
        'too_many_attempts',
        'Too many attempts with a wrong API key. Try again later.',
      );
    const detail = key === null ? 'Give an API key: `Authorization: Bearer rk_…` or `X-API-Key: rk_…`.' : 'This API key is not valid.';
    return problem(reply.header('www-authenticate', 'Bearer realm="rekindle"'), 401, key === null ? 'missing_api_key' : 'invalid_api_key', detail);
  };
}

/** A person's cookie opens the stores of which they are a member. */
async function admitPerson(request: FastifyRequest, reply: FastifyReply, identity: Identity): Promise<unknown> {
  if (!isFromOwnPage(request))
    return problem(reply, 403, 'foreign_page', 'A page of another site has sent this. Only pages of this installation act for who is signed in.');
  const signedIn = await identity.whoIs(visitorOf(request));
  if (signedIn === null) return problem(reply, 401, 'no_session', 'Nobody is signed in: sign in, or give an API key.');
  keepCookies(reply, signedIn.cookies);
  const stores = await identity.storesOf(signedIn.person.id);
  const named = storeNamedBy(request);
  if (named === undefined && stores.length !== 1)
    return problem(
      reply,
      400,
      'store_needed',
      stores.length === 0
        ? 'This account is a member of no store. Ask an owner for an invitation.'
        : 'This account is a member of several stores: name one by its id or slug in the header `Rekindle-Store`.',
    );
  const store = stores.find(({ tenantId, slug }) => named === undefined || named === tenantId || named === slug);
  if (store === undefined) return problem(reply, 403, 'not_a_member', 'This account is no member of that store.');
  takeRequestId(request, reply);
  callers.set(request, { tenantId: store.tenantId, role: store.role, actor: `person:${signedIn.person.id}` });
  return refuseUnlessAllowed(request, reply, store.role);
}

/** A route that does not say what it needs is for owners. */
function refuseUnlessAllowed(request: FastifyRequest, reply: FastifyReply, role: Role): FastifyReply | undefined {
  const needed = request.routeOptions.config.permission ?? 'own';
  if (may(role, needed)) return undefined;
  const detail = `This needs the permission \`${needed}\`, which the role ${role} does not have. Ask an owner of the store for the role ${leastRoleFor(needed)}.`;
  return problem(reply, 403, 'forbidden', detail, { permission: needed });
}

/**
 * A hook for routes that span tenants: it refuses requests without the installation's key, which is given like an API key.
 * @param digest - SHA-256 of the key, hex; null: the installation has none, and every request is refused
 */
export function requireInstallationKey(digest: string | null, failed: Limit) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const key = keyOf(request);
    // Both digests have one length, and comparing them takes the same time wherever they differ.
    if (key !== null && digest !== null && timingSafeEqual(Buffer.from(hashApiKey(key)), Buffer.from(digest))) {
      takeRequestId(request, reply);
      return undefined;
    }
    const waitSeconds = await failed(request);
    if (waitSeconds !== null)
      return problem(
        reply.header('retry-after', String(waitSeconds)),
        429,
        'too_many_attempts',
        'Too many attempts with a wrong key. Try again later.',
      );
    const detail =
      digest === null
        ? 'This installation has no key for this: set REKINDLE_INSTALLATION_KEY and start the API again.'
        : 'This needs the installation’s key, not a store’s: `Authorization: Bearer …`, as REKINDLE_INSTALLATION_KEY has it.';
    return problem(reply.header('www-authenticate', 'Bearer realm="rekindle"'), 401, 'missing_installation_key', detail);
  };
}

/** Scripts of a page cannot give a WebSocket headers: what they would say there stands in its address and its protocols. */
function storeNamedBy(request: FastifyRequest): string | string[] | undefined {
  const { store } = request.query as Record<string, string | string[] | undefined>;
  return request.headers['rekindle-store'] ?? (isUpgrade(request) ? store : undefined);
}

/** By which a WebSocket names its key, beside `rekindle.live`: `rekindle.key.rk_…`. */
const keyProtocol = /(?:^|,)\s*rekindle\.key\.(rk_[\w-]+)\s*(?:,|$)/;

function keyOf(request: FastifyRequest): string | null {
  const { headers } = request;
  const bearer = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
  const own = headers['x-api-key'];
  const ofSocket = isUpgrade(request) ? keyProtocol.exec(headers['sec-websocket-protocol'] ?? '')?.[1] : undefined;
  return bearer ?? (typeof own === 'string' ? own.trim() : (ofSocket ?? null));
}

/** Whether who opened a connection may still do what it is for: a key may be revoked while it stands, a session end, a member leave. */
export async function isStillAllowed(
  deps: Pick<Deps, 'db' | 'clock' | 'log'> & { identity: Identity },
  request: FastifyRequest,
  needed: Permission,
): Promise<boolean> {
  const { tenantId } = callerOf(request);
  const key = keyOf(request);
  if (key !== null) {
    const found = await resolveKey(deps, key);
    return found !== null && may(found.role, needed);
  }
  const signedIn = await deps.identity.whoIs(visitorOf(request));
  if (signedIn === null) return false;
  const store = (await deps.identity.storesOf(signedIn.person.id)).find((one) => one.tenantId === tenantId);
  return store !== undefined && may(store.role, needed);
}
