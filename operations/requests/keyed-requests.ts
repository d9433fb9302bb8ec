import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, type Tx } from '../../db/client.ts';
import { keyedRequests } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';

/** A request that came with an `Idempotency-Key`. */
export interface KeyedRequest {
  tenantId: string;
  caller: string;
  key: string;
  /** SHA-256 of everything that was asked for. */
  digest: string;
  /** Doing it again does nothing twice: an attempt that was cut off may be repeated. */
  repeatable: boolean;
}

/** An answer as it is sent again. */
export interface KeptAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export type TakenKey =
  /** The request is new, or is to be carried out again. `run` names this attempt. */
  | { kind: 'run'; run: string }
  | { kind: 'answered'; answer: KeptAnswer }
  | { kind: 'running' }
  /** The attempt was cut off before it answered: nobody knows whether it took effect. */
  | { kind: 'cut_off' }
  /** The key belongs to another request. */
  | { kind: 'key_reused' };

/** For how long an answer is kept. Source: docs/rules.md#rule-91 */
const keptHours = 24;
/** An attempt that nobody renews for so long was cut off: the process that carried it out has ended. */
const leaseSeconds = 30;
/** How often it is renewed, and for how long: longer than any request takes but an upload, whose answer is still kept when it comes. */
const [renewEveryMs, mostRenewals] = [10_000, 30];

/** Requests that belong to no tenant, made with the installation's key. */
export const installationId = '00000000-0000-0000-0000-000000000000';

const after = (interval: string) => sql`clock_timestamp() + ${interval}::interval`;
const lease = () => after(`${leaseSeconds} seconds`);
const kept = () => after(`${keptHours} hours`);

/** Take a key for a request: of several at once, exactly one gets `run`. */
export async function takeKey({ db, sealing }: Pick<Deps, 'db' | 'sealing'>, asked: KeyedRequest): Promise<TakenKey> {
  const run = uuidv7();
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.withTenant(asked.tenantId, async (tx) => {
        const { tenantId, caller, key, digest: request } = asked;
        const fresh = { request, run, state: 'running', leaseUntil: lease(), keptUntil: kept() } as const;
        const made = await tx
          .insert(keyedRequests)
          .values({ tenantId, caller, key, ...fresh })
          .onConflictDoNothing()
          .returning({ run: keyedRequests.run });
        if (made.length > 0) return { kind: 'run', run };
        const found = await readLocked(tx, asked);
        if (found === null) throw new Error('a key was taken whose row is not there');
        if (found.run === run) return { kind: 'run', run };
        if (!found.expired) {
          if (found.request !== request) return { kind: 'key_reused' };
          if (found.state === 'done') return { kind: 'answered', answer: answerOf(found, sealing) };
          if (found.state === 'running' && found.leased) return { kind: 'running' };
          if (found.state === 'running' && !asked.repeatable) return { kind: 'cut_off' };
        }
        const again = { ...fresh, status: null, headers: null, sealedBody: null, createdAt: sql`clock_timestamp()` };
        await tx.update(keyedRequests).set(again).where(rowOf(asked));
        return { kind: 'run', run };
      });
    } catch (error) {
      // The next attempt finds its own row, or none.
      if (!(error instanceof CommitUnclearError) || attempt >= 3) throw error;
    }
  }
}

/**
 * Renew an attempt's lease for as long as it is being carried out.
 * @param everyMs - real milliseconds
 * @returns ends it
 */
export function renewLease(
  { db, log }: Pick<Deps, 'db' | 'log'>,
  asked: Pick<KeyedRequest, 'tenantId' | 'caller' | 'key'>,
  run: string,
  everyMs = renewEveryMs,
): () => void {
  let renewals = 0;
  const timer = setInterval(() => {
    renewals += 1;
    if (renewals >= mostRenewals) clearInterval(timer);
    const isOwn = and(rowOf(asked), eq(keyedRequests.run, run), eq(keyedRequests.state, 'running'));
    db.withTenant(asked.tenantId, (tx) => tx.update(keyedRequests).set({ leaseUntil: lease() }).where(isOwn)).catch((err: unknown) =>
      log.warn({ err }, 'that a request is still being carried out could not be noted, and is tried again'),
    );
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Keep what an attempt answered. @param answer - null: it did nothing, and a repeat is carried out */
export async function keepAnswer(
  { db, sealing }: Pick<Deps, 'db' | 'sealing'>,
  asked: Pick<KeyedRequest, 'tenantId' | 'caller' | 'key'>,
  run: string,
  answer: KeptAnswer | null,
): Promise<void> {
  const outcome =
    answer === null
      ? ({ state: 'free' } as const)
      : ({ state: 'done', status: answer.status, headers: answer.headers, sealedBody: sealing.seal(answer.body) } as const);
  await db.withTenant(asked.tenantId, (tx) =>
    tx
      .update(keyedRequests)
      .set(outcome)
      .where(and(rowOf(asked), eq(keyedRequests.run, run))),
  );
}

const rowOf = ({ tenantId, caller, key }: Pick<KeyedRequest, 'tenantId' | 'caller' | 'key'>) =>
  and(eq(keyedRequests.tenantId, tenantId), eq(keyedRequests.caller, caller), eq(keyedRequests.key, key));

async function readLocked(tx: Tx, asked: KeyedRequest) {
  const { request, run, state, status, headers, sealedBody } = keyedRequests;
  const [row] = await tx
    .select({
      ...{ request, run, state, status, headers, sealedBody },
      leased: sql<boolean>`lease_until > clock_timestamp()`,
      expired: sql<boolean>`kept_until < clock_timestamp()`,
    })
    .from(keyedRequests)
    .where(rowOf(asked))
    .for('update');
  return row ?? null;
}

function answerOf(
  row: { status: number | null; headers: Record<string, string> | null; sealedBody: string | null },
  sealing: Deps['sealing'],
): KeptAnswer {
  if (row.status === null || row.sealedBody === null) throw new Error('an answer was kept that has no status');
  return { status: row.status, headers: row.headers ?? {}, body: sealing.open(row.sealedBody) };
}
