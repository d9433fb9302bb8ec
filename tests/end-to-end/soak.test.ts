import { expect, test } from 'vitest';
import type { Fault } from '../soak/faults.ts';
import { judge } from '../soak/observer.ts';
import { runSoak } from '../soak/run-soak.ts';
import { drawSchedule, type ScheduleOptions } from '../soak/schedule.ts';
import type { PlannedDelivery, ShopEvent, ShopperPlan } from '../soak/shopper.ts';
import { stores } from '../soak/stores.ts';
import type { EnrollmentEnd, Witnessed } from '../soak/witnessed.ts';

// The short run; the long one is `npm run soak` (docs/soak.md).

const short: ScheduleOptions = {
  seed: 305,
  forMs: 10_000,
  // 72 hours in 21.6 s.
  timeScale: 12_000,
  shoppersPerMinute: 75,
  faults: { untilMs: 9_000, gapMs: [2_000, 3_500], pauses: false, longestMs: 2_000 },
};

test('shoppers come and go while processes and servers are killed: nothing is sent twice, late, or lost', async () => {
  const report = await runSoak({ ...short, built: false, drainMs: 100_000, say: (line) => void (process.env['TEST_LOG'] && console.error(line)) });
  expect(report.violations).toEqual([]);
  // A run in which nothing happens proves nothing.
  const { witnessed, verdict } = report;
  expect(witnessed.messages.length).toBeGreaterThan(10);
  expect(verdict.stops.judged).toBeGreaterThan(2);
  expect(new Set(witnessed.messages.map((message) => message.store))).toEqual(new Set(stores));
  expect(new Set(witnessed.messages.map((message) => message.channel))).toEqual(new Set(['email', 'sms', 'call']));
  expect(verdict.stops.spared).toBeGreaterThan(0);
  expect(witnessed.faults.length).toBeGreaterThan(1);
}, 240_000);

test('a seed replays its schedule', () => {
  const digests = [short, short, { ...short, seed: 8 }].map((options) => drawSchedule(options).digest);
  expect(digests[0]).toBe(digests[1]);
  expect(digests[2]).not.toBe(digests[0]);
});

const names = { id: 'shopper-0001', email: 'shopper-0001@example.com' };
const cartId = 'cart-0001-a';

/** One shopper, one cart, and all went well: what the tests below break. */
function aRun(...events: { event: ShopEvent; answeredMs: number | null }[]): Witnessed {
  const told: { event: ShopEvent; answeredMs: number | null }[] = [
    { event: { type: 'cart.updated', cart: cartId, ageMs: 0, revision: 1, names }, answeredMs: 1_010 },
    ...events,
  ];
  return {
    shoppers: [],
    deliveries: told.map(({ event, answeredMs }, index) => {
      const sentMs = answeredMs === null ? 1_000 : answeredMs - 10;
      const planned = {
        id: `shopper-0001.${index}`,
        shopper: 'shopper-0001',
        store: 'own' as const,
        event,
        happenedAtMs: sentMs,
        sentAtMs: sentMs,
        againAfterMs: null,
      };
      return { planned, sentMs, answeredMs, appliedMs: answeredMs, attempts: { '200': 1 }, surprises: [] };
    }),
    unsubscribes: [],
    messages: [aMail('email_2h', 4_000), aMail('email_24h', 40_000)],
    enrollments: [anEnrollment({})],
    remains: { rows: { outbox: 0 }, workflows: { COMPLETED: 1 }, workflowsRunAgain: 0 },
    lives: [life('worker-1')],
    faults: [],
    loads: [],
  };
}

const aMail = (step: string, atMs: number) => ({
  channel: 'email' as const,
  subject: cartId,
  store: 'own' as const,
  step,
  enrollmentId: 'enrollment-1',
  to: names.email,
  atMs,
});

const aStep = (id: string, state: string, skipReason: string | null = null) => ({
  id,
  sends: true,
  state,
  skipReason,
  dueMs: 3_900,
  claimedMs: 3_990,
  settledMs: 4_020,
  response: null,
});

function anEnrollment(more: Partial<EnrollmentEnd>): EnrollmentEnd {
  return {
    id: 'enrollment-1',
    store: 'own',
    subject: cartId,
    status: 'COMPLETED',
    stopReason: null,
    enrolledMs: 1_005,
    activatedMs: 2_000,
    endedMs: 40_010,
    steps: [aStep('email_2h', 'sent'), aStep('email_24h', 'sent')],
    story: [],
    ...more,
  };
}

const life = (name: 'worker-1' | 'api-1') => ({
  name,
  pid: 1,
  startedMs: 0,
  readyMs: 500,
  endedMs: null,
  end: null,
  how: null,
  askedMs: null,
});
const kindsIn = (seen: Witnessed) => [...new Set(judge(seen).violations.map((v) => v.kind))];
const withFault = (fault: Fault, toMs: number) => [{ fault, fromMs: fault.atMs, toMs }];
const reply: ShopEvent = { type: 'message.received', names: { email: names.email } };
const stopped = { status: 'EXITED', stopReason: 'replied', endedMs: 30_000, steps: [aStep('email_2h', 'sent'), aStep('email_24h', 'waiting')] };

test('the observer has no fault to find with a run in which all went well', () => {
  const verdict = judge(aRun());
  expect(verdict.violations).toEqual([]);
  expect(verdict.subjects).toEqual({ completed: 1 });
  const withReply = { ...aRun({ event: reply, answeredMs: 30_005 }), messages: [aMail('email_2h', 4_000)], enrollments: [anEnrollment(stopped)] };
  expect(judge(withReply).violations).toEqual([]);
  expect(judge(withReply).stops.judged).toBe(1);
});

test('the observer finds a second copy', () => {
  const run = aRun();
  run.messages.push(aMail('email_2h', 90_000));
  expect(kindsIn(run)).toEqual(['G1']);
  const twice = aRun();
  twice.enrollments.push(anEnrollment({ id: 'enrollment-0', enrolledMs: 900, steps: [] }));
  expect(kindsIn(twice)).toEqual(['G1']);
});

test('the observer finds an email after an answered stop, by one tenth of a millisecond', () => {
  const run = aRun({ event: reply, answeredMs: 30_005 });
  run.enrollments = [anEnrollment({ ...stopped, steps: [aStep('email_2h', 'sent'), aStep('email_24h', 'sent')] })];
  run.messages = [aMail('email_2h', 4_000), aMail('email_24h', 30_005)];
  expect(kindsIn(run)).toEqual([]);
  run.messages = [aMail('email_2h', 4_000), aMail('email_24h', 30_005.1)];
  expect(kindsIn(run)).toEqual(['G2']);
  // Whoever stops workers by a signal is beyond assumption (a): counted, and no violation.
  run.faults = withFault({ kind: 'pause', what: 'worker-1', atMs: 3_995, forMs: 10_000 }, 29_000);
  expect(kindsIn(run)).toEqual([]);
  expect(judge(run).stops.beyondAssumption).toBe(1);
});

test('the observer finds a stop that was answered and ended nothing', () => {
  const run = aRun({ event: { type: 'order.placed', order: 'order-1', cart: cartId, names: null }, answeredMs: 30_005 });
  run.messages = [aMail('email_2h', 4_000)];
  run.enrollments = [anEnrollment({ ...stopped, stopReason: 'purchased', status: 'CONVERTED', endedMs: 31_000 })];
  expect(kindsIn(run)).toEqual(['G3']);
});

test('a stop that is not certain to cover a cart is not judged for it', () => {
  // Under way at the same time as the cart's own webhook; and an order by identity before which the shopper was not done.
  const cartAgain: ShopEvent = { type: 'cart.updated', cart: cartId, ageMs: 0, revision: 2, names };
  const order: ShopEvent = { type: 'order.placed', order: 'order-1', cart: null, names: { email: names.email } };
  expect(judge(aRun({ event: reply, answeredMs: 1_005 })).stops.judged).toBe(0);
  expect(judge(aRun({ event: order, answeredMs: 2_000 }, { event: cartAgain, answeredMs: 3_000 })).stops.judged).toBe(0);
  expect(judge(aRun({ event: order, answeredMs: 2_000 })).stops.judged).toBe(1);
});

test('the observer finds what was lost', () => {
  const noSequence = { ...aRun(), messages: [], enrollments: [] };
  expect(kindsIn(noSequence)).toEqual(['LOST']);
  const skipped = (settledMs: number) => {
    const late = { ...aStep('email_2h', 'skipped', 'too_old'), settledMs };
    const enrollments = [anEnrollment({ steps: [late, aStep('email_24h', 'sent')], endedMs: 200_000 })];
    return { ...aRun(), messages: [aMail('email_24h', 140_000)], enrollments };
  };
  // Sooner than a step gets too old, and with a worker there all the time.
  expect(kindsIn(skipped(100_000))).toEqual(['LOST']);
  expect(kindsIn(skipped(130_000))).toEqual(['LOST']);
  expect(kindsIn({ ...skipped(130_000), lives: [{ ...life('worker-1'), endedMs: 50_000, end: 'killed', how: 'SIGKILL' }] })).toEqual([]);
  const neverSent = aRun();
  neverSent.messages = [aMail('email_24h', 40_000)];
  expect(kindsIn(neverSent)).toEqual(['TRUTH']);
  const stoppedByNobody = { ...aRun(), messages: [aMail('email_2h', 4_000)], enrollments: [anEnrollment(stopped)] };
  expect(kindsIn(stoppedByNobody)).toEqual(['LOST']);
});

test('an unknown outcome needs a reason', () => {
  const run = { ...aRun(), messages: [aMail('email_24h', 40_000)] };
  run.enrollments = [anEnrollment({ steps: [aStep('email_2h', 'unknown'), aStep('email_24h', 'sent')] })];
  expect(kindsIn(run)).toEqual(['LOST']);
  run.faults = withFault({ kind: 'kill', what: 'worker-1', atMs: 4_010, forMs: 1_000 }, 5_010);
  expect(kindsIn(run)).toEqual([]);
  expect(judge(run).unknown).toEqual({ 'a worker was killed, not accepted': 1 });
  run.faults = withFault({ kind: 'kill', what: 'worker-1', atMs: 44_010, forMs: 1_000 }, 45_010);
  expect(kindsIn(run)).toEqual(['LOST']);
});

test('the observer finds what is stuck, and a process that ended by itself', () => {
  expect(kindsIn({ ...aRun(), remains: { rows: { outbox: 1 }, workflows: { RUNNING: 1 }, workflowsRunAgain: 0 } })).toEqual(['STUCK']);
  expect(kindsIn(aRun({ event: reply, answeredMs: null }))).toEqual(['STUCK']);
  expect(kindsIn({ ...aRun(), enrollments: [anEnrollment({ status: 'ACTIVE', endedMs: null })] })).toEqual(['STUCK']);
  expect(kindsIn({ ...aRun(), lives: [{ ...life('api-1'), endedMs: 9_000, end: 'by itself', how: 'exit code 1' }] })).toEqual(['PROCESS']);
});

test('the observer finds what one store does to the carts of another', () => {
  const run = aRun();
  expect(kindsIn({ ...run, messages: [{ ...aMail('email_2h', 4_000), store: 'shopify' }, aMail('email_24h', 40_000)] })).toEqual(['G10']);
  expect(kindsIn({ ...run, enrollments: [anEnrollment({ store: 'shopify' })] })).toEqual(['G10']);
});

test('a stop in one store explains nothing in the other, where the same address goes on', () => {
  const [cart, said] = aRun({ event: reply, answeredMs: 30_005 }).deliveries;
  if (cart === undefined || said === undefined) throw new Error('the run has two deliveries');
  const elsewhere = { ...said, planned: { ...said.planned, shopper: 'shopper-0002', store: 'shopify' as const } };
  const shopper = (name: string, { store }: PlannedDelivery, deliveries: PlannedDelivery[]): ShopperPlan => ({
    name,
    store,
    kind: 'replies',
    addresses: [names.email],
    deliveries,
    unsubscribe: null,
  });
  const run = {
    ...aRun(),
    shoppers: [shopper('shopper-0001', cart.planned, [cart.planned]), shopper('shopper-0002', elsewhere.planned, [elsewhere.planned])],
    deliveries: [cart, elsewhere],
  };
  expect(judge(run)).toMatchObject({ violations: [], stops: { judged: 0, spared: 1 } });
  expect(kindsIn({ ...run, messages: [aMail('email_2h', 4_000)], enrollments: [anEnrollment(stopped)] })).toEqual(['LOST']);
});
