import { and, eq, isNull, lt, or, sql } from 'drizzle-orm';
import { v4 as uuidv4 } from 'uuid';
import { connections, connectionTokens } from '../db/schema/index.ts';
import type { AccessTokens, Granted, OAuth, Tokens } from '../integrations/port.ts';
import { recordAudit } from './audit.ts';
import { noteFault } from './composition/ledger.ts';
import type { Deps } from './deps.ts';

type TokenDeps = Pick<Deps, 'db' | 'sealing' | 'clock' | 'integrations'>;
type TokenRow = typeof connectionTokens.$inferSelect;

/** Where a connection's tokens are. */
export interface TokenHolder {
  tenantId: string;
  connectionId: string;
  integration: string;
  /** Opened. */
  config: unknown;
}

// A token is renewed long before its end, so that a renewal that fails costs nothing for hours.
const renewBeforeMs = 6 * 3_600_000;
/** One that is about to end may end on its way. */
const usableForMs = 60_000;
/** Longer than a renewal takes, whose requests have ten seconds each: who holds it for longer is dead. */
const leaseMs = 60_000;
const waitMs = 2_000;
const askAgainMs = 100;

/** Thrown where a connection has no token that counts. */
export class NotAuthorisedError extends Error {
  readonly code = 'not_authorised';
  override readonly name = 'NotAuthorisedError';
}

export type Authorised = { kind: 'authorised' } | { kind: 'unknown' } | { kind: 'invalid'; path: string; message: string };

/**
 * Exchange the code that a person's consent has led to, and keep the tokens. It replaces the tokens before it.
 * @param redirectUri - the one with which the code was asked for; null: the provider does not want it
 */
export async function authoriseConnection(
  deps: TokenDeps,
  { tenantId, id, code, redirectUri }: { tenantId: string; id: string; code: string; redirectUri: string | null },
  by: string,
): Promise<Authorised> {
  const [row] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.id, id), isNull(connections.removedAt))),
  );
  if (row === undefined) return { kind: 'unknown' };
  const oauth = deps.integrations[row.integration]?.oauth;
  const config: unknown = row.sealedConfig === null ? null : JSON.parse(deps.sealing.open(row.sealedConfig));
  if (oauth === undefined || config === null || !oauth.applies(config))
    return { kind: 'invalid', path: 'code', message: 'this connection is not let in by OAuth: its token stands in its configuration' };
  const granted = await oauth.exchange(config, code, redirectUri);
  if (granted.kind === 'no_answer')
    return { kind: 'invalid', path: 'code', message: `no clear answer (${granted.reason}): ask for a new code and try again` };
  if (granted.kind === 'refused')
    return { kind: 'invalid', path: 'code', message: `is not accepted (${granted.reason}): a code counts once and for minutes` };
  await deps.db.withTenant(tenantId, async (tx) => {
    const fields = { ...storedOf(deps, granted.tokens), grantedFor: oauth.grantedFor(config) };
    const start = { tenantId, connectionId: id, generation: 0, ...fields };
    await tx
      .insert(connectionTokens)
      .values(start)
      .onConflictDoUpdate({
        target: [connectionTokens.tenantId, connectionTokens.connectionId],
        set: { ...fields, generation: sql`${connectionTokens.generation} + 1` },
      });
    await noteFault(tx, id, null);
    await recordAudit(tx, { tenantId, actor: by, action: 'connection.authorise', subject: id, data: {} });
  });
  return { kind: 'authorised' };
}

/** The access token of a connection. Any number of processes may ask: one of them renews it. */
export function accessTokensOf(deps: TokenDeps, holder: TokenHolder): AccessTokens {
  return {
    current: () => currentToken(deps, holder),
    async refused(token) {
      const row = await readTokens(deps, holder);
      // Another process may have renewed it already.
      if (row === null || deps.sealing.open(row.sealedAccess) !== token) return;
      await deps.db.withTenant(holder.tenantId, (tx) =>
        tx
          .update(connectionTokens)
          .set({ expiresAt: deps.clock.nowMs() })
          .where(and(eq(connectionTokens.connectionId, holder.connectionId), eq(connectionTokens.generation, row.generation))),
      );
    },
  };
}

async function currentToken(deps: TokenDeps, holder: TokenHolder): Promise<string> {
  const endMs = deps.clock.monotonicMs() + waitMs;
  for (;;) {
    const row = await readTokens(deps, holder);
    if (row === null) throw new NotAuthorisedError('the connection is not authorised yet: rekindle connections authorise <id> --code CODE');
    const leftMs = row.expiresAt - deps.clock.nowMs();
    if (leftMs > renewBeforeMs) return deps.sealing.open(row.sealedAccess);
    const renewed = await renew(deps, holder, row);
    if (renewed !== null) return renewed;
    if (leftMs > usableForMs) return deps.sealing.open(row.sealedAccess);
    // Somebody else renews it right now.
    if (deps.clock.monotonicMs() > endMs) throw new NotAuthorisedError('the access token has ended and could not be renewed yet');
    await new Promise((done) => setTimeout(done, askAgainMs));
  }
}

/**
 * Renew the tokens, if nobody else does. The lease is taken and committed before the provider is asked. Whoever dies after the answer leaves a refresh token
 * behind that does not count any more; the next renewal then asks for tokens by the app's own secret.
 * @returns null where another holds the lease, or where there are no new tokens
 */
async function renew(deps: TokenDeps, holder: TokenHolder, row: TokenRow): Promise<string | null> {
  const oauth = deps.integrations[holder.integration]?.oauth;
  if (oauth === undefined) return null;
  const renewer = uuidv4();
  const { tenantId, connectionId } = holder;
  const [leased] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .update(connectionTokens)
      .set({ renewer, renewingSince: sql`clock_timestamp()` })
      .where(
        and(
          eq(connectionTokens.connectionId, connectionId),
          eq(connectionTokens.generation, row.generation),
          or(
            isNull(connectionTokens.renewer),
            lt(connectionTokens.renewingSince, sql`clock_timestamp() - make_interval(secs => ${leaseMs / 1_000})`),
          ),
        ),
      )
      .returning(),
  );
  if (leased === undefined) return null;
  const granted = await ask(oauth, holder.config, deps.sealing.open(leased.sealedRefresh));
  if (granted.kind !== 'granted') {
    // The lease stays, so that the next attempt comes after a pause.
    if (granted.kind === 'refused') {
      const fault = `the authorisation does not count any more (${granted.reason}): rekindle connections authorise`;
      await deps.db.withTenant(tenantId, (tx) => noteFault(tx, connectionId, fault));
    }
    return null;
  }
  const stored = await deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .update(connectionTokens)
      .set({ ...storedOf(deps, granted.tokens), generation: leased.generation + 1 })
      // One who was taken for dead writes nothing over the tokens that came after.
      .where(and(eq(connectionTokens.connectionId, connectionId), eq(connectionTokens.renewer, renewer)))
      .returning({ generation: connectionTokens.generation });
    if (rows.length > 0) await noteFault(tx, connectionId, null);
    return rows.length > 0;
  });
  return stored ? granted.tokens.accessToken : null;
}

async function ask(oauth: OAuth, config: unknown, refreshToken: string): Promise<Granted> {
  const granted = await oauth.refresh(config, refreshToken);
  if (granted.kind !== 'refused' || oauth.recover === undefined) return granted;
  const recovered = await oauth.recover(config);
  return recovered.kind === 'granted' ? recovered : { ...recovered, reason: `${granted.reason}; then ${recovered.reason}` };
}

async function readTokens(deps: TokenDeps, { tenantId, connectionId, integration, config }: TokenHolder): Promise<TokenRow | null> {
  const grantedFor = deps.integrations[integration]?.oauth?.grantedFor(config) ?? '';
  const [row] = await deps.db.withTenant(tenantId, (tx) => tx.select().from(connectionTokens).where(eq(connectionTokens.connectionId, connectionId)));
  return row?.grantedFor === grantedFor ? row : null;
}

function storedOf({ sealing, clock }: Pick<TokenDeps, 'sealing' | 'clock'>, { accessToken, refreshToken, expiresInMs }: Tokens) {
  const nowMs = clock.nowMs();
  return {
    sealedAccess: sealing.seal(accessToken),
    sealedRefresh: sealing.seal(refreshToken),
    expiresAt: nowMs + expiresInMs,
    renewer: null,
    renewingSince: null,
    updatedAt: nowMs,
  };
}
