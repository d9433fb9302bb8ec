import { and, eq, inArray, or, sql } from 'drizzle-orm';
import type { Database, Tx } from '../db/client.ts';
import { enrollments, messages } from '../db/schema/index.ts';
import type { Clock } from './clock.ts';

/** A provider call that may be running now: it is over when it is settled or when its lease has run out. */
export interface LiveClaim {
  claim: string;
  leaseMs: number;
}

/**
 * The live claims that touch any of these contacts: messages to them, or messages of enrollments that are theirs now
 * (an enrollment moves when an address arrives; its message rows do not).
 */
export async function readLiveClaims(tx: Tx, contactIds: string[]): Promise<LiveClaim[]> {
  if (contactIds.length === 0) return [];
  const theirs = tx.select({ id: enrollments.id }).from(enrollments).where(inArray(enrollments.contactId, contactIds));
  const rows = await tx
    .select({ claim: messages.claim, leaseMs: messages.leaseMs })
    .from(messages)
    .where(and(eq(messages.live, true), or(inArray(messages.contactId, contactIds), inArray(messages.enrollmentId, theirs))));
  return rows.flatMap((r) => (r.claim === null ? [] : [{ claim: r.claim, leaseMs: r.leaseMs }]));
}

export type WaitResult = 'none' | 'settled' | 'lease_over' | 'budget_spent';

/** Waits until calls that a stop covers are over. One poller per process, however many stops are waiting. */
export interface LeaseWatch {
  /**
   * @param fromMs - the monotonic clock when the handler held the locks (`s0`): leases count from there, on this clock alone
   * @param budgetMs - how long after `fromMs` the answer must be given
   */
  wait(tenantId: string, claims: LiveClaim[], fromMs: number, budgetMs: number): Promise<WaitResult>;
}

interface Waiting {
  tenantId: string;
  open: LiveClaim[];
  fromMs: number;
  budgetMs: number;
  leaseOver: boolean;
  resolve: (result: WaitResult) => void;
}

const pollMs = 20;

export function createLeaseWatch(db: Database, clock: Clock): LeaseWatch {
  const waiting = new Set<Waiting>();
  let running = false;

  async function stillLive(tenantId: string, claims: string[]): Promise<Set<string>> {
    const rows = await db.settling(tenantId, (tx) =>
      tx
        .select({ claim: messages.claim })
        .from(messages)
        .where(and(eq(messages.live, true), sql`${messages.claim} = any(${sql.param(claims)}::uuid[])`)),
    );
    return new Set(rows.flatMap((r) => (r.claim === null ? [] : [r.claim])));
  }

  function finishWhatCan(): void {
    for (const w of waiting) {
      const elapsedMs = clock.monotonicMs() - w.fromMs;
      const open = w.open.filter((c) => elapsedMs < c.leaseMs);
      if (open.length < w.open.length) w.leaseOver = true;
      w.open = open;
      const result = open.length === 0 ? (w.leaseOver ? 'lease_over' : 'settled') : elapsedMs >= w.budgetMs ? 'budget_spent' : null;
      if (result === null) continue;
      waiting.delete(w);
      w.resolve(result);
    }
  }

  // One query at a time per tenant, and no stop waits for it: leases run out on this process's clock, whatever the database does.
  const looking = new Set<string>();
  function look(tenantId: string): void {
    if (looking.has(tenantId)) return;
    looking.add(tenantId);
    const mine = [...waiting].filter((w) => w.tenantId === tenantId);
    const asked = new Set(mine.flatMap((w) => w.open.map((c) => c.claim)));
    void stillLive(tenantId, [...asked])
      .then((live) => {
        for (const w of mine) w.open = w.open.filter((c) => live.has(c.claim));
        finishWhatCan();
      })
      // A failed query proves nothing.
      .catch(() => undefined)
      .finally(() => looking.delete(tenantId));
  }

  async function poll(): Promise<void> {
    for (;;) {
      finishWhatCan();
      if (waiting.size === 0) break;
      for (const tenantId of new Set([...waiting].map((w) => w.tenantId))) look(tenantId);
      await new Promise((done) => setTimeout(done, pollMs));
    }
    running = false;
  }

  return {
    wait(tenantId, claims, fromMs, budgetMs) {
      if (claims.length === 0) return Promise.resolve('none');
      return new Promise((resolve) => {
        waiting.add({ tenantId, open: claims, fromMs, budgetMs, leaseOver: false, resolve });
        if (running) return;
        running = true;
        void poll();
      });
    },
  };
}
