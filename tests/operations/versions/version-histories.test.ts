import fc from 'fast-check';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrollments, messages } from '../../../db/schema/index.ts';
import { nextMove } from '../../../domain/sequence/next-move.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import type { Plan, Progress } from '../../../domain/sequence/plan.ts';
import { dispatchStep } from '../../../operations/dispatch-step.ts';
import { changeState } from '../../../operations/versions/change-state.ts';
import { rollBack, runningChoices } from '../../../operations/versions/publish.ts';
import { aCart, letTimePass, openShop, type Shop } from '../../helpers/shop.ts';
import { publishNext, tryPublish, versionInUse, wake } from './publish-next.ts';

// Random histories of publishing, moving, rolling back, pausing and ending beside dispatches: whatever a workflow knows of it, and whenever, nobody gets a
// step twice, nothing after an exit, and nothing while the sequence is paused.

const hourMs = 3_600_000;
const runs = Number(process.env['VERSION_HISTORIES'] ?? 4);
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna' } });
});
afterAll(() => shop.close());

/** Steps by letter, each at an hour of its own, so that an order of letters is an order in time. */
const stepsOf = (letters: readonly string[]) => Object.fromEntries(letters.map((letter, index) => [`mail_${letter}`, `${2 + index * 4}h`]));
const letters = fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e'], { minLength: 1 });
const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), letters, running: fc.constantFrom(...runningChoices, 'move' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('rollback' as const), back: fc.nat(3), running: fc.constantFrom('stay' as const, 'move' as const) }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wake' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const) }) },
  // A dispatch that was scheduled before its workflow knew better, or is repeated.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stray' as const), who: fc.nat(2), letter: fc.constantFrom('a', 'b', 'c', 'd', 'e') }) },
);

/** What a workflow holds: a plan and a cache of the progress, brought up to date by what its activities answer. */
interface Sleeper {
  id: string;
  email: string;
  plan: Plan;
  progress: Progress;
  ended: boolean;
  stale: boolean;
}

let counter = 0;
async function begin(): Promise<Sleeper> {
  const name = `history-${++counter}`;
  const email = `${name}@example.com`;
  await shop.post('cart.updated', aCart(name, email));
  const { id = '' } = (await shop.enrollmentOf(name)) ?? {};
  const version = await shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const [row] = await tx.select().from(enrollments).where(eq(enrollments.id, id));
    return shop.deps.versions.load(tx, row?.versionId ?? '');
  });
  const sleeper = { id, email, plan: compilePlan(version.definition, version.version, 1), ended: false, stale: false };
  const known = await wake(shop, id, version.version);
  if (known === null) throw new Error('no enrollment');
  return { ...sleeper, progress: known.progress };
}

async function readAnew(sleeper: Sleeper): Promise<void> {
  const known = await wake(shop, sleeper.id, sleeper.plan.version);
  if (known === null) throw new Error('no enrollment');
  Object.assign(sleeper, { progress: known.progress, plan: known.plan ?? sleeper.plan, ended: sleeper.ended || known.ended !== null, stale: false });
}

async function dispatchOne(sleeper: Sleeper, stepId: string): Promise<void> {
  const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: sleeper.id, stepId });
  if (result.kind !== 'done') return;
  Object.assign(sleeper, { progress: result.progress, ended: sleeper.ended || result.ended !== null, stale: sleeper.stale || result.stale === true });
}

/** The loop of the workflow, until it sleeps. */
async function work(sleeper: Sleeper): Promise<void> {
  for (let turn = 0; turn < 30 && !sleeper.ended; turn++) {
    if (sleeper.stale) await readAnew(sleeper);
    // Stored times move into the past with every hour that passes: the cache is read anew, as its own copy would have aged.
    const move = nextMove(sleeper.plan, sleeper.progress, Date.now());
    if (sleeper.ended || move.kind !== 'dispatch') return;
    await dispatchOne(sleeper, move.stepId);
  }
}

const mailsTo = (email: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(email)).length;
const tenant = { slug: 'cart', actor: 'test' };

test(
  'nobody gets a step twice, nothing after an exit, and nothing while it is paused',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 25 }), async (actions) => {
        const { tenantId } = shop.tenant;
        await changeState(shop.deps, { tenantId, ...tenant, change: 'resume', note: null });
        await publishNext(shop, { ...stepsOf(['a', 'b', 'c']), [`mail_own_${++counter}`]: '60h' }, 'exit');
        const sleepers = [await begin(), await begin(), await begin()];
        let paused = false;
        const exited = new Map<Sleeper, number>();
        const look = async () => {
          for (const sleeper of sleepers) {
            const [row] = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(enrollments).where(eq(enrollments.id, sleeper.id)));
            if (row?.endedAt != null && !exited.has(sleeper)) exited.set(sleeper, mailsTo(sleeper.email));
          }
        };
        for (const one of actions) {
          const before = shop.smtp.accepted.length;
          switch (one.kind) {
            case 'publish':
              await tryPublish(shop, stepsOf(one.letters), one.running);
              break;
            case 'rollback': {
              const baseVersion = await versionInUse(shop);
              await rollBack(shop.deps, { tenantId, ...tenant, baseVersion, to: Math.max(1, baseVersion - one.back), running: one.running });
              break;
            }
            case 'pause':
            case 'resume':
              await changeState(shop.deps, { tenantId, ...tenant, change: one.kind, note: null });
              paused = one.kind === 'pause';
              break;
            case 'wake': {
              const sleeper = sleepers[one.who];
              if (sleeper !== undefined && !sleeper.ended) await readAnew(sleeper);
              break;
            }
            case 'stray': {
              const sleeper = sleepers[one.who];
              if (sleeper !== undefined) await dispatchOne(sleeper, `mail_${one.letter}`);
              break;
            }
            case 'hours':
              for (let hour = 0; hour < one.hours; hour++) {
                await letTimePass(shop, hourMs);
                for (const sleeper of sleepers) {
                  // Its own times have aged with everything that is stored.
                  const { anchorMs, settled, notBeforeMs, ...rest } = sleeper.progress;
                  sleeper.progress = {
                    ...rest,
                    anchorMs: anchorMs - hourMs,
                    settled: Object.fromEntries(Object.entries(settled).map(([id, s]) => [id, { ...s, atMs: s.atMs - hourMs }])),
                    notBeforeMs: Object.fromEntries(Object.entries(notBeforeMs).map(([id, ms]) => [id, ms - hourMs])),
                  };
                  await work(sleeper);
                }
              }
          }
          if (paused) expect(shop.smtp.accepted.length, 'sent while paused').toBe(before);
          await look();
        }
        for (const sleeper of sleepers) {
          const ledger = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(messages).where(eq(messages.enrollmentId, sleeper.id)));
          const sent = ledger.filter(({ state }) => state === 'sent');
          // One row for each step, and one message for each that was sent.
          expect(new Set(ledger.map(({ stepId }) => stepId)).size).toBe(ledger.length);
          expect(mailsTo(sleeper.email)).toBe(sent.length);
          const atExit = exited.get(sleeper);
          if (atExit !== undefined) expect(mailsTo(sleeper.email), 'sent after the end').toBe(atExit);
        }
      }),
      { numRuns: runs, endOnFailure: runs > 20 },
    );
  },
  runs * 60_000,
);
