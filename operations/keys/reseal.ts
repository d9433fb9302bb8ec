import { and, asc, eq, gt, isNotNull } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/client.ts';
import {
  bots,
  connections,
  connectionTokens,
  erasures,
  keyedRequests,
  notificationTargets,
  personExports,
  webhookEndpoints,
} from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { SealError, type Sealing } from '../sealing.ts';

type KeyDeps = Pick<Deps, 'db' | 'sealing' | 'checkpoints' | 'clock'>;

/** How many sealed texts there are under each master key. */
export interface SealedTexts {
  /** The key that seals. */
  current: string;
  /** By key id; those of a key that is not given here are under `unknown`. */
  byKey: Record<string, number>;
  /** Keys that are given here and that nothing needs any more: they may be taken out of the configuration. */
  mayGo: string[];
}

const unknownKey = 'unknown';
const page = 100;

/** Columns that hold sealed texts are named for it; `tests/operations/master-key.test.ts` finds one that is not among these. */
interface Place {
  /** Every sealed text of a page of rows, and the id of the last row; null: there are no more. */
  read(tx: Tx, after: string): Promise<{ rows: { id: string; sealed: string[] }[]; last: string | null }>;
  /** Seal one row's texts anew, under its lock. @returns how many */
  reseal(tx: Tx, id: string, anew: (sealed: string) => string): Promise<number>;
}

const texts = (...columns: (string | null)[]): string[] => columns.filter((text) => text !== null);
const pageOf = (found: { id: string; sealed: string[] }[]) => ({ rows: found, last: found.length < page ? null : (found.at(-1)?.id ?? null) });
const nothing = '00000000-0000-0000-0000-000000000000';
const behind = (column: PgColumn, after: string) => gt(column, after);

const places: readonly Place[] = [
  {
    // With the bot that runs by the same configuration: it would be started anew if the two texts differed.
    async read(tx, after) {
      const rows = await tx
        .select({ id: connections.id, secrets: connections.secrets, config: connections.sealedConfig, bot: bots.sealedConfig })
        .from(connections)
        .leftJoin(bots, eq(bots.connectionId, connections.id))
        .where(behind(connections.id, after))
        .orderBy(asc(connections.id))
        .limit(page);
      return pageOf(rows.map(({ id, secrets, config, bot }) => ({ id, sealed: [...secrets, ...texts(config, bot)] })));
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(connections).where(eq(connections.id, id)).for('no key update');
      if (row === undefined) return 0;
      const [bot] = await tx.select().from(bots).where(eq(bots.connectionId, id)).for('no key update');
      const secrets = row.secrets.map(anew);
      const sealedConfig = row.sealedConfig === null ? null : anew(row.sealedConfig);
      await tx.update(connections).set({ secrets, sealedConfig }).where(eq(connections.id, id));
      if (bot?.sealedConfig == null) return secrets.length + texts(sealedConfig).length;
      const same = bot.sealedConfig === row.sealedConfig ? sealedConfig : anew(bot.sealedConfig);
      await tx.update(bots).set({ sealedConfig: same }).where(eq(bots.connectionId, id));
      return secrets.length + texts(sealedConfig, same).length;
    },
  },
  {
    async read(tx, after) {
      const rows = await tx
        .select({ id: connectionTokens.connectionId, access: connectionTokens.sealedAccess, refresh: connectionTokens.sealedRefresh })
        .from(connectionTokens)
        .where(behind(connectionTokens.connectionId, after))
        .orderBy(asc(connectionTokens.connectionId))
        .limit(page);
      return pageOf(rows.map(({ id, access, refresh }) => ({ id, sealed: [access, refresh] })));
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(connectionTokens).where(eq(connectionTokens.connectionId, id)).for('no key update');
      if (row === undefined) return 0;
      await tx
        .update(connectionTokens)
        .set({ sealedAccess: anew(row.sealedAccess), sealedRefresh: anew(row.sealedRefresh) })
        .where(eq(connectionTokens.connectionId, id));
      return 2;
    },
  },
  {
    async read(tx, after) {
      const rows = await tx
        .select({ id: notificationTargets.id, sealed: notificationTargets.sealedConfig })
        .from(notificationTargets)
        .where(behind(notificationTargets.id, after))
        .orderBy(asc(notificationTargets.id))
        .limit(page);
      return pageOf(rows.map(({ id, sealed }) => ({ id, sealed: [sealed] })));
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(notificationTargets).where(eq(notificationTargets.id, id)).for('no key update');
      if (row === undefined) return 0;
      await tx
        .update(notificationTargets)
        .set({ sealedConfig: anew(row.sealedConfig) })
        .where(eq(notificationTargets.id, id));
      return 1;
    },
  },
  {
    async read(tx, after) {
      const rows = await tx
        .select({ id: erasures.id, sealed: erasures.sealedTraces })
        .from(erasures)
        .where(and(behind(erasures.id, after), isNotNull(erasures.sealedTraces)))
        .orderBy(asc(erasures.id))
        .limit(page);
      return pageOf(rows.map(({ id, sealed }) => ({ id, sealed: texts(sealed) })));
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(erasures).where(eq(erasures.id, id)).for('no key update');
      if (row?.sealedTraces == null) return 0;
      await tx
        .update(erasures)
        .set({ sealedTraces: anew(row.sealedTraces) })
        .where(eq(erasures.id, id));
      return 1;
    },
  },
  {
    async read(tx, after) {
      const rows = await tx
        .select({ id: personExports.id, sealed: personExports.sealedDocument })
        .from(personExports)
        .where(and(behind(personExports.id, after), isNotNull(personExports.sealedDocument)))
        .orderBy(asc(personExports.id))
        .limit(page);
      return pageOf(rows.map(({ id, sealed }) => ({ id, sealed: texts(sealed) })));
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(personExports).where(eq(personExports.id, id)).for('no key update');
      if (row?.sealedDocument == null) return 0;
      await tx
        .update(personExports)
        .set({ sealedDocument: anew(row.sealedDocument) })
        .where(eq(personExports.id, id));
      return 1;
    },
  },
  {
    async read(tx, after) {
      const rows = await tx
        .select({ id: keyedRequests.run, sealed: keyedRequests.sealedBody })
        .from(keyedRequests)
        .where(and(behind(keyedRequests.run, after), isNotNull(keyedRequests.sealedBody)))
        .orderBy(asc(keyedRequests.run))
        .limit(page);
      return pageOf(rows.map(({ id, sealed }) => ({ id, sealed: texts(sealed) })));
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(keyedRequests).where(eq(keyedRequests.run, id)).for('no key update');
      if (row?.sealedBody == null) return 0;
      await tx
        .update(keyedRequests)
        .set({ sealedBody: anew(row.sealedBody) })
        .where(eq(keyedRequests.run, id));
      return 1;
    },
  },
  {
    async read(tx, after) {
      const rows = await tx
        .select({ id: webhookEndpoints.id, sealed: webhookEndpoints.secrets })
        .from(webhookEndpoints)
        .where(behind(webhookEndpoints.id, after))
        .orderBy(asc(webhookEndpoints.id))
        .limit(page);
      return pageOf(rows);
    },
    async reseal(tx, id, anew) {
      const [row] = await tx.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)).for('no key update');
      if (row === undefined) return 0;
      await tx
        .update(webhookEndpoints)
        .set({ secrets: row.secrets.map(anew) })
        .where(eq(webhookEndpoints.id, id));
      return row.secrets.length;
    },
  },
];

/** Count what is sealed under which key. */
export async function countSealed(deps: KeyDeps): Promise<SealedTexts> {
  const byKey: Record<string, number> = {};
  const note = (sealed: string) => {
    const key = underOf(deps.sealing, sealed) ?? unknownKey;
    byKey[key] = (byKey[key] ?? 0) + 1;
  };
  for (const { sealed } of await deps.db.installationKeys()) note(sealed);
  await eachRow(deps, (_, row) => {
    row.sealed.forEach(note);
    return Promise.resolve(true);
  });
  const { keyId: current, keyIds } = deps.sealing;
  return { current, byKey, mayGo: keyIds.filter((id) => id !== current && (byKey[id] ?? 0) === 0) };
}

/**
 * Seal anew, under the present master key, whatever another one has sealed: row by row, each in a transaction of its own, so that it may be ended anywhere
 * and begun again. Processes that have both keys read everything meanwhile.
 * @param withinMs - after which it ends; what is left is for the next call
 * @throws SealError where something was sealed under a key that is not given
 */
export async function resealAll(
  deps: KeyDeps,
  { actor, withinMs }: { actor: string; withinMs: number },
): Promise<{ resealed: number; finished: boolean }> {
  const { sealing } = deps;
  const endMs = deps.clock.monotonicMs() + withinMs;
  const anew = (sealed: string) => (sealing.sealedUnder(sealed) === sealing.keyId ? sealed : sealing.seal(sealing.open(sealed)));
  let resealed = 0;
  for (const { name, sealed } of await deps.db.installationKeys()) {
    if (sealing.sealedUnder(sealed) === sealing.keyId) continue;
    await deps.checkpoints('keys.reseal');
    if (await deps.db.putInstallationKey(name, anew(sealed), sealed)) resealed++;
  }
  const finished = await eachRow(deps, async (where, row) => {
    const old = row.sealed.filter((sealed) => sealing.sealedUnder(sealed) !== sealing.keyId);
    if (old.length === 0) return true;
    await deps.checkpoints('keys.reseal');
    await deps.db.withTenant(where.tenantId, (tx) => where.place.reseal(tx, row.id, anew));
    resealed += old.length;
    return deps.clock.monotonicMs() < endMs;
  });
  if (resealed > 0)
    for (const { id: tenantId } of await deps.db.listTenants())
      await deps.db.withTenant(tenantId, (tx) =>
        recordAudit(tx, { tenantId, actor, action: 'master_key.reseal', subject: null, data: { key: sealing.keyId } }),
      );
  return { resealed, finished };
}

/** @param work - answers whether to go on. @returns whether every row was visited */
async function eachRow(
  { db }: KeyDeps,
  work: (where: { tenantId: string; place: Place }, row: { id: string; sealed: string[] }) => Promise<boolean>,
): Promise<boolean> {
  // Requests with the installation's key belong to no tenant, and stand under the nil UUID.
  for (const tenantId of [nothing, ...(await db.listTenants()).map(({ id }) => id)])
    for (const place of places)
      for (let after: string | null = nothing; after !== null; ) {
        const from: string = after;
        const { rows, last } = await db.withTenant(tenantId, (tx) => place.read(tx, from));
        for (const row of rows) if (!(await work({ tenantId, place }, row))) return false;
        after = last;
      }
  return true;
}

function underOf(sealing: Sealing, sealed: string): string | null {
  try {
    return sealing.sealedUnder(sealed);
  } catch (error) {
    if (error instanceof SealError) return null;
    throw error;
  }
}
