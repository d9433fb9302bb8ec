import { and, eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog, conversions } from '../../db/schema/index.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { recoveryWorkflowId, type RecoveryView } from '../../workflows/contract.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { temporalCommand } from '../chaos/own-temporal.ts';

// An hour in half a second: emails after 1, 12, 24 and 36 s, and nobody expires before 84 s.
const timeScale = 7_200;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale });
  await shop.startWorker();
  await asleep('paused', 'rewound');
});
afterAll(() => shop.close());

const enrolled = new Map<string, string>();
const idOf = (cart: string) => enrolled.get(cart) ?? '';
const mailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`));

/** Carts whose first email is out, and which sleep until the second. */
async function asleep(...carts: string[]): Promise<void> {
  for (const cart of carts) await shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`));
  for (const cart of carts) {
    await until(`the first mail of ${cart}`, () => mailsTo(cart).length === 1);
    enrolled.set(cart, (await rowOf(cart)).id);
    await until(`${cart} to sleep`, async () => (await view(cart)).settled['email_2h'] === 'sent');
  }
}
const workflowIdOf = (cart: string) => recoveryWorkflowId(shop.tenant.slug, 'cart', idOf(cart));
const workflowOf = (cart: string) => temporalClientOf(shop).workflow.getHandle(workflowIdOf(cart));
const temporal = (cart: string, verb: string, ...more: string[]) =>
  temporalCommand(shop.temporal.address, ['workflow', verb, '--workflow-id', workflowIdOf(cart), ...more]);
const view = (cart: string) => workflowOf(cart).query<RecoveryView>('view');
const rowOf = async (cart: string) => {
  const row = await shop.enrollmentOf(cart);
  if (row === null) throw new Error(`${cart} has no enrollment`);
  return row;
};
const reconcileNow = () => reconcile({ ...shop.deps, engine: createWorkflowEngine(temporalClientOf(shop), shop.temporal.taskQueue) }, { graceMs: 0 });

/** What Postgres, the workflow's result and the search attribute say about the end of a sequence that its workflow ended itself. */
async function endOf(cart: string) {
  const { searchAttributes } = await until(`the workflow of ${cart} to close`, async () => {
    const description = await workflowOf(cart).describe();
    return description.status.name === 'COMPLETED' ? description : null;
  });
  const result: unknown = await workflowOf(cart).result();
  const { status, stopReason, stopNote, endedAt } = await rowOf(cart);
  return { result, attribute: searchAttributes['StopReason'], row: { status, stopReason, stopNote, ended: endedAt !== null } };
}

const manual = (stopNote: string | null) => ({
  result: { reason: 'manual' },
  attribute: ['manual'],
  row: { status: 'EXITED', stopReason: 'manual', stopNote, ended: true },
});

test('a pause is shown, keeps its timers, and a resume takes both back', async () => {
  const before = await view('paused');
  await temporal('paused', 'signal', '--name', 'pause');
  await until('the row to say so', async () => (await rowOf('paused')).status === 'PAUSED');
  expect(await view('paused')).toMatchObject({ held: 'paused', nextAt: null, currentStep: 'email_2h', lastStep: 'email_2h', nextStep: 'email_24h' });
  await temporal('paused', 'signal', '--name', 'resume');
  await until('the row to say so', async () => (await rowOf('paused')).status === 'ACTIVE');
  expect(await view('paused')).toEqual(before);
  await temporal('paused', 'signal', '--name', 'pause');
  await until('the row to say so', async () => (await rowOf('paused')).status === 'PAUSED');
});

test('"purchased" typed by hand is a note, not a recovery', async () => {
  await asleep('worded');
  await temporal('worded', 'signal', '--name', 'stop', '--input', '"purchased"');
  expect(await endOf('worded')).toEqual(manual('purchased'));
  const won = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(conversions));
  expect(won).toEqual([]);
});

test('a stop signal without a text is a stop', async () => {
  await asleep('silent');
  await temporal('silent', 'signal', '--name', 'stop');
  expect(await endOf('silent')).toEqual(manual(null));
});

test('a stop with something that is no text is a stop', async () => {
  await asleep('numbered');
  await temporal('numbered', 'signal', '--name', 'stop', '--input', '{"ticket":42}');
  expect(await endOf('numbered')).toEqual(manual('{"ticket":42}'));
});

test('a stop with a character that Postgres does not keep is a stop', async () => {
  await asleep('odd');
  await temporal('odd', 'signal', '--name', 'stop', '--input', '"by \\u0000 hand"');
  expect(await endOf('odd')).toEqual(manual('by  hand'));
});

test('cancelling ends the sequence as cancelled', async () => {
  await asleep('cancelled');
  await temporal('cancelled', 'cancel');
  expect(await endOf('cancelled')).toEqual({
    result: { reason: 'cancelled' },
    attribute: ['cancelled'],
    row: { status: 'EXITED', stopReason: 'cancelled', stopNote: null, ended: true },
  });
});

test('terminating is found by the reconciler, once, and reported', async () => {
  await asleep('terminated');
  await temporal('terminated', 'terminate', '--reason', 'tried out');
  expect((await rowOf('terminated')).endedAt).toBeNull();
  const report = await until('the reconciler to see it', async () => {
    const found = await reconcileNow();
    return found.closed > 0 ? found : null;
  });
  expect(report).toMatchObject({ closed: 1, restarted: 0, stopped: 0 });
  expect(await rowOf('terminated')).toMatchObject({ status: 'EXITED', stopReason: 'terminated' });
  const reports = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ action: auditLog.action, data: auditLog.data })
      .from(auditLog)
      .where(and(eq(auditLog.actor, 'reconciler'), eq(auditLog.subject, idOf('terminated')))),
  );
  expect(reports).toEqual([{ action: 'reconcile.closed', data: { workflow: 'terminated' } }]);
  expect(await reconcileNow()).toMatchObject({ closed: 0, restarted: 0, stopped: 0 });
  expect((await workflowOf('terminated').describe()).status.name).toBe('TERMINATED');
});

test('a resume that arrives while the pause is being written counts', async () => {
  await asleep('swift');
  const owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  try {
    await owner.query('begin');
    await owner.query('select id from contacts where id = $1 for update', [(await rowOf('swift')).contactId]);
    await workflowOf('swift').signal('pause');
    await until('the pause to be under way', async () => (await workflowOf('swift').describe()).raw.pendingActivities?.length === 1);
    await workflowOf('swift').signal('resume');
    await owner.query('commit');
    // Long before the next step is due, so only the signal can wake it.
    await until(
      'the row to have been paused and resumed',
      async () => {
        const { rows } = await owner.query<{ type: string }>(
          `select type from enrollment_events where enrollment_id = $1 and type in ('paused', 'resumed') order by id`,
          [idOf('swift')],
        );
        return rows.map((r) => r.type).join() === 'paused,resumed';
      },
      6_000,
    );
    expect(await rowOf('swift')).toMatchObject({ status: 'ACTIVE', held: null });
  } finally {
    await owner.end();
  }
});

test('the view says what comes next', async () => {
  await asleep('viewed');
  const printed = await temporal('viewed', 'query', '--name', 'view');
  const { anchorAt } = await rowOf('viewed');
  const nextAt = new Date(anchorAt + (24 * 3_600_000) / timeScale).toISOString();
  for (const said of [
    `"enrollmentId":"${idOf('viewed')}"`,
    '"currentStep":"email_2h"',
    '"nextStep":"email_24h"',
    `"nextAt":"${nextAt}"`,
    '"email_2h":"sent"',
  ]) {
    expect(printed.replaceAll(/\s/g, '')).toContain(said);
  }
});

test('a sequence that was reset after two emails goes on, and repeats nothing', async () => {
  await until('the second mail', () => mailsTo('rewound').length >= 2);
  await until('it to be settled', async () => (await view('rewound')).settled['email_24h'] === 'sent');
  const before = await workflowOf('rewound').describe();
  await temporal('rewound', 'reset', '--type', 'FirstWorkflowTask', '--reason', 'tried out');
  expect((await workflowOf('rewound').describe()).runId).not.toBe(before.runId);
  await until('the third mail', () => mailsTo('rewound').length >= 3);
  const steps = mailsTo('rewound').map((m) => /\.(email_\d+h)@/.exec(m.raw.toString())?.[1]);
  expect(steps.slice(0, 3)).toEqual(['email_2h', 'email_24h', 'email_48h']);
  expect(new Set(steps).size).toBe(steps.length);
});

test('nothing was sent while paused; the late email goes out at the resume', async () => {
  // Enrolled later than the paused one, and its second email is out.
  await until('the second mail of another', () => mailsTo('rewound').length >= 2);
  expect(mailsTo('paused')).toHaveLength(1);
  await temporal('paused', 'signal', '--name', 'resume');
  await until('the second mail', () => mailsTo('paused').length === 2);
  await until('the second mail of the swiftly resumed one', () => mailsTo('swift').length >= 2);
});

test('an ended sequence that is reset ends again as it had, and sends nothing', async () => {
  await asleep('revived');
  await shop.deliver('order.placed', {
    order: { id: 'order-1', currency: 'EUR', total: '129.90' },
    cart_id: 'revived',
    contact: { email: 'revived@example.com' },
  });
  await endOf('revived');
  const sent = mailsTo('revived').length;
  await temporal('revived', 'reset', '--type', 'FirstWorkflowTask', '--reason', 'tried out');
  expect(await endOf('revived')).toMatchObject({
    result: { reason: 'purchased' },
    attribute: ['purchased'],
    row: { status: 'CONVERTED', stopReason: 'purchased' },
  });
  expect(mailsTo('revived')).toHaveLength(sent);
});
