import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Deadline, Payload, Sender, SendOutcome } from '../../integrations/port.ts';

/*
 * Every integration that sends passes this suite, before its first real message. How:
 *
 * 1. Write a server of the provider's protocol that misbehaves on demand (models: tests/helpers/smtp-server.ts for a protocol with a
 *    session, stub-provider.ts for HTTP). It is a real server on a real port: a mocked client proves nothing about bytes.
 * 2. Describe it as a `SenderHarness`: which behaviours it has (leave out only what the protocol cannot express), and how they are set.
 * 3. Export it from `<provider>/conformance.ts` as one of `senders`, one for each way in which the adapter is used (pipelining or not).
 *    `registered-senders.test.ts` finds it by the provider's name in the registry.
 *
 * An adapter passes if the fence may believe it: `refused` is certain, `accepted` is true, all else is `unknown`.
 */

/**
 * What the far end can be told to do with the next call, and what the sender may say then. "Takes" means: from there on it would
 * deliver the message. "Before taking": it has not got the message whole.
 */
export const farEndBehaviours = {
  takes: ['accepted'],
  takes_and_answers_slowly: ['accepted'],
  /** Nothing listens on its port. Throwing when the session is opened counts as well. */
  is_away: ['refused'],
  refuses: ['refused'],
  /** 429. */
  throttles: ['refused'],
  /** It does not know our account, or refuses the credentials. */
  refuses_our_account: ['refused'],
  refuses_the_address: ['refused'],
  closes_before_taking: ['refused'],
  resets_before_taking: ['refused'],
  hangs_before_taking: ['refused'],
  stops_reading: ['refused', 'unknown'],
  answers_before_the_end: ['refused'],
  refuses_after_the_end: ['refused'],
  /** 409 because an earlier call with this key has not ended. */
  is_still_at_it: ['unknown'],
  /** 5xx of HTTP: the server may have failed after taking the message. SMTP's 5yz is a refusal. */
  breaks_down: ['unknown'],
  takes_then_breaks_down: ['unknown'],
  hangs_after_the_end: ['unknown'],
  closes_after_the_end: ['unknown'],
  takes_then_hangs: ['unknown'],
  takes_then_closes: ['unknown'],
  takes_then_resets: ['unknown'],
  takes_then_answers_half: ['unknown'],
  /** Hangs, and takes the message when the deadline is long over: `lateMs` after it came. */
  takes_late: ['unknown'],
} as const satisfies Record<string, SendOutcome['kind'][]>;
export type FarEndBehaviour = keyof typeof farEndBehaviours;

/** How late `takes_late` is; longer than the deadlines that it is tried with. */
export const lateMs = 1_500;

/** What a far end does that is asked about a call in doubt. */
export const unclearAnswers = ['breaks_down', 'hangs', 'resets', 'talks_nonsense', 'throttles', 'does_not_know_us'] as const;

/** A far end under test: a real server of the protocol, and a sender that talks to it. */
export interface FarEnd {
  sender: Sender;
  behaviours: readonly FarEndBehaviour[];
  /** What the next call meets. `atTheEnd` is called when the far end is ready for the message, before its end was sent. */
  behave(behaviour: FarEndBehaviour, atTheEnd?: () => void): void;
  /** Wall-clock times at which a message was taken; a repeat that a key suppressed is not among them. */
  takenAtMs(): number[];
  /** Calls that reached it so far. */
  calls(): number;
  /** What stopped reading reads on. */
  resume(): void;
  /** For a sender that can ask: what the next question meets. The adapter gives up asking within two seconds (a time-out of its own). */
  behaveWhenAsked?(answer: (typeof unclearAnswers)[number] | 'tells_the_truth'): void;
  close(): Promise<void>;
}

export interface SenderHarness {
  name: string;
  start(): Promise<FarEnd>;
  /**
   * Like the real thing: an ordinary message, another one, and one that is larger than any socket buffer on the way.
   * @param key - the send key, for providers at which a message is found by what it says
   */
  payload(size: 'ordinary' | 'another' | 'huge', key: string): Payload;
}

/** A deadline on the wall clock, as the fence gives it. */
export function deadlineIn(ms: number): Deadline {
  const end = performance.now() + ms;
  return { remainingMs: () => end - performance.now() };
}

// How much later than the deadline the answer may come, not counting the time in which the process did not run (`watchPauses`): an adapter's
// timer fires at the deadline, and ending the call takes a few turns of the event loop. Assumption (a) of docs/guarantees.md allows half a
// second, pauses included.
const graceMs = 100;

/** For what is to happen, however busy the machine is. */
const patientMs = 20_000;

interface Details {
  size?: 'ordinary' | 'another' | 'huge';
  atTheEnd?: () => void;
  key?: string;
}

/**
 * What the fence relies on, for any sender: `refused` only if the far end certainly did not take the message, `accepted` only if it
 * did, nothing taken after the deadline, an answer right after it at the latest.
 */
export function describeSenderConformance(harness: SenderHarness): void {
  // Far from what it needs: on a busy machine a huge message alone takes a second to write.
  describe(`the sender contract: ${harness.name}`, { timeout: 120_000 }, () => {
    let farEnd: FarEnd;
    let slowness = 1;
    // How much longer a plain call takes here than on a quiet machine: what is to happen before a short deadline needs as much longer.
    beforeAll(async () => {
      farEnd = await harness.start();
      await call('takes', deadlineIn(patientMs));
      const fromMs = performance.now();
      await call('takes', deadlineIn(patientMs), { key: 'enrollment:second' });
      slowness = Math.min(10, Math.max(1, (performance.now() - fromMs) / 30));
      await farEnd.close();
    });
    beforeEach(async () => {
      farEnd = await harness.start();
    });
    afterEach(() => farEnd.close());

    async function call(
      behaviour: FarEndBehaviour,
      deadline: Deadline,
      { size = 'ordinary', atTheEnd, key = 'enrollment:step' }: Details = {},
    ): Promise<SendOutcome> {
      farEnd.behave(behaviour, atTheEnd);
      const session = await farEnd.sender.open().catch((error: unknown) => {
        if (behaviour !== 'is_away') throw error;
        return null;
      });
      if (session === null) return { kind: 'refused', severity: 'soft', outage: true, response: 'no session' };
      try {
        return await session.send(harness.payload(size, key), key, deadline);
      } finally {
        session.close();
      }
    }

    const isExpressed = (behaviour: FarEndBehaviour) => farEnd.behaviours.includes(behaviour);

    /** A call that hangs, as early as the protocol has it: a message that is all in its address is taken or not. */
    const silence = (): { behaviour: FarEndBehaviour; outcome: SendOutcome['kind'] } =>
      isExpressed('hangs_before_taking')
        ? { behaviour: 'hangs_before_taking', outcome: 'refused' }
        : { behaviour: 'hangs_after_the_end', outcome: 'unknown' };

    function expectTruth(outcome: SendOutcome, takenBefore = 0): void {
      const taken = farEnd.takenAtMs().length - takenBefore;
      if (outcome.kind === 'refused') expect(taken).toBe(0);
      if (outcome.kind === 'accepted') expect(taken).toBe(1);
      expect(taken).toBeLessThanOrEqual(1);
    }

    for (const [behaviour, expected] of Object.entries(farEndBehaviours) as [FarEndBehaviour, readonly SendOutcome['kind'][]][]) {
      test(`a far end that ${behaviour.replaceAll('_', ' ')} is reported as ${expected.join(' or ')}`, async (context) => {
        if (!farEnd.behaviours.includes(behaviour)) return context.skip();
        const outcome = await call(behaviour, deadlineIn(isSilent(behaviour) ? 250 * slowness : patientMs), { size: sizeFor(behaviour) });
        expect(expected).toContain(outcome.kind);
        expectTruth(outcome);
      });
    }

    test('an address that will never work is refused hard, any other refusal softly', async () => {
      for (const [behaviour, severity] of [
        ['refuses_the_address', 'hard'],
        ['refuses', 'soft'],
        ['throttles', 'soft'],
        ['refuses_our_account', 'soft'],
        ['answers_before_the_end', 'soft'],
        ['refuses_after_the_end', 'soft'],
      ] as const) {
        if (farEnd.behaviours.includes(behaviour))
          expect(await call(behaviour, deadlineIn(patientMs)), behaviour).toMatchObject({ kind: 'refused', severity });
      }
    });

    test('a far end that is away or says nothing is an outage, one that refuses is none', async () => {
      for (const behaviour of (['closes_before_taking', 'resets_before_taking', 'hangs_before_taking'] as const).filter(isExpressed))
        expect(await call(behaviour, deadlineIn(250 * slowness)), behaviour).toMatchObject({ outage: true });
      for (const behaviour of ['refuses', 'throttles', 'refuses_after_the_end'] as const) {
        const outcome = await call(behaviour, deadlineIn(patientMs));
        expect(outcome.kind === 'refused' && outcome.outage === true, behaviour).toBe(false);
      }
      expect(await call('is_away', deadlineIn(patientMs))).toMatchObject({ outage: true });
    });

    test('one call is one call: whatever it meets, nothing is tried again', async () => {
      const before = farEnd.calls();
      let made = 0;
      for (const behaviour of farEnd.behaviours.filter((one) => one !== 'is_away')) {
        await call(behaviour, deadlineIn(isSilent(behaviour) ? 100 * slowness : patientMs), { size: sizeFor(behaviour) });
        made++;
        // What an earlier one tried again later would show here. On a busy machine the far end may see a call only once it was given up, so all are counted together.
        expect(farEnd.calls() - before, behaviour).toBeLessThanOrEqual(made);
      }
      expect(farEnd.calls()).toBeGreaterThan(0);
    });

    test('a call that hangs holds up no other', async () => {
      let reached: () => void = () => undefined;
      const hanging = new Promise<void>((resolve) => (reached = resolve));
      farEnd.behave(silence().behaviour, () => reached());
      const session = await farEnd.sender.open();
      const first = session.send(harness.payload('ordinary', 'enrollment:first'), 'enrollment:first', deadlineIn(60_000));
      await hanging;
      expect(await call('takes', deadlineIn(patientMs), { key: 'enrollment:second' })).toMatchObject({ kind: 'accepted' });
      session.close();
      expect(await first).toMatchObject({ kind: silence().outcome });
    });

    test('a call that has begun says so once, while its outcome is still open; one that cannot begin does not', async () => {
      farEnd.behave(silence().behaviour);
      const session = await farEnd.sender.open();
      let said = 0;
      const begun = new Promise<void>((resolve) => {
        const count = () => {
          said += 1;
          resolve();
        };
        void session.send(harness.payload('ordinary', 'enrollment:first'), 'enrollment:first', deadlineIn(patientMs), count);
      });
      await begun;
      await expect.poll(() => farEnd.calls(), { timeout: patientMs }).toBe(1);
      expect(said).toBe(1);
      session.close();
      const late = await farEnd.sender.open();
      await late.send(harness.payload('ordinary', 'enrollment:second'), 'enrollment:second', deadlineIn(0), () => (said += 1));
      late.close();
      expect(said).toBe(1);
    });

    test('what is still on its way at the deadline is not delivered afterwards', async (context) => {
      if (!farEnd.behaviours.includes('stops_reading')) return context.skip();
      await call('stops_reading', deadlineIn(200 * slowness), { size: 'huge' });
      farEnd.resume();
      // Whatever was left of that call would come before this one.
      expect(await call('takes', deadlineIn(patientMs), { key: 'enrollment:next' })).toMatchObject({ kind: 'accepted' });
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    test('what is taken after the deadline was never said to be refused', async (context) => {
      if (!farEnd.behaviours.includes('takes_late')) return context.skip();
      // On a busy machine a deadline may be over before the message has left, which is a refusal: then a longer one is tried.
      let startedMs = 0;
      for (let ms = Math.min(1_000, 150 * slowness); ; ms = Math.min(lateMs * 0.8, ms * 2)) {
        startedMs = Date.now();
        const outcome = await call('takes_late', deadlineIn(ms));
        if (outcome.kind === 'unknown') break;
        expect(outcome).toMatchObject({ kind: 'refused', severity: 'soft' });
      }
      // By then whatever was refused would have been taken too.
      await expect.poll(() => farEnd.takenAtMs().some((atMs) => atMs >= startedMs + lateMs - 50), { timeout: patientMs }).toBe(true);
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    test('no end of a message is sent when the deadline comes just before it', async (context) => {
      if (!isExpressed('hangs_before_taking')) return context.skip();
      let remainingMs = 5_000;
      const outcome = await call('takes', { remainingMs: () => remainingMs }, { atTheEnd: () => (remainingMs = 0) });
      expect(outcome).toMatchObject({ kind: 'refused', severity: 'soft' });
      expect(farEnd.takenAtMs()).toEqual([]);
    });

    test('a deadline that is over sends nothing', async () => {
      expect(await call('takes', deadlineIn(0))).toMatchObject({ kind: 'refused', severity: 'soft' });
      expect(farEnd.takenAtMs()).toEqual([]);
    });

    test('whatever hangs, the answer comes with the deadline and nothing is taken after it', async () => {
      const hanging = farEnd.behaviours.filter((behaviour) => /hangs|stops/.test(behaviour));
      for (const behaviour of hanging) {
        const before = farEnd.takenAtMs().length;
        const deadline = deadlineIn(200 * slowness);
        const pausedMs = watchPauses(deadline);
        const outcome = await call(behaviour, deadline, { size: sizeFor(behaviour) });
        const lateMs = -deadline.remainingMs();
        const endedMs = Date.now();
        expect(lateMs, JSON.stringify([behaviour, outcome])).toBeGreaterThanOrEqual(0);
        expect(lateMs - pausedMs()).toBeLessThan(graceMs);
        expectTruth(outcome, before);
        for (const takenMs of farEnd.takenAtMs()) expect(takenMs).toBeLessThanOrEqual(endedMs);
      }
      expect(hanging.length).toBeGreaterThan(0);
    });

    test('a jump of the wall clock ends a call that hangs, although its timer is not due', async () => {
      let remainingMs = 60_000;
      const outcome = await call(silence().behaviour, { remainingMs: () => remainingMs }, { atTheEnd: () => (remainingMs = -1) });
      expect(outcome.kind).toBe(silence().outcome);
    });

    test('a session sends one message', async () => {
      farEnd.behave('takes');
      const session = await farEnd.sender.open();
      await session.send(harness.payload('ordinary', 'enrollment:step'), 'enrollment:step', deadlineIn(2_000));
      await expect(session.send(harness.payload('ordinary', 'enrollment:step'), 'enrollment:step', deadlineIn(2_000))).rejects.toThrow();
      session.close();
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    test('closing a session during a call ends it with a true outcome', async () => {
      for (const behaviour of (['hangs_before_taking', 'takes_then_hangs'] as const).filter(isExpressed)) {
        const before = farEnd.takenAtMs().length;
        let reached: () => void = () => {};
        const atTheEnd = new Promise<void>((resolve) => {
          reached = resolve;
        });
        farEnd.behave(behaviour, () => reached());
        const session = await farEnd.sender.open();
        const outcome = session.send(harness.payload('ordinary', 'enrollment:step'), 'enrollment:step', deadlineIn(patientMs));
        await atTheEnd;
        session.close();
        expectTruth(await outcome, before);
      }
    });

    test('a session that is closed unused leaves nothing behind', async () => {
      farEnd.behave('takes');
      const session = await farEnd.sender.open();
      session.close();
      session.close();
      expect(farEnd.takenAtMs()).toEqual([]);
    });

    test('the outcome is true for any behaviour and any deadline', async () => {
      const behaviours = fc.constantFrom(...farEnd.behaviours.filter((behaviour) => behaviour !== 'is_away'));
      const sizes = isExpressed('stops_reading') ? fc.constantFrom('ordinary' as const, 'huge' as const) : fc.constant('ordinary' as const);
      await fc.assert(
        fc.asyncProperty(behaviours, fc.integer({ min: 1, max: 60 }), sizes, async (behaviour, ms, size) => {
          // A far end of its own: what one call left unknown may be taken while the next one is judged.
          await farEnd.close();
          farEnd = await harness.start();
          expectTruth(await call(behaviour, deadlineIn(ms), { size }));
        }),
        { numRuns: 20 },
      );
    });

    const replay = { key: 'enrollment:step' };

    test('a key is accepted once, however its first call ended', async (context) => {
      if (farEnd.sender.reconciliation.kind !== 'keys') return context.skip();
      for (const behaviour of farEnd.behaviours.filter((one) => one.startsWith('takes'))) {
        const key = `enrollment:${behaviour}`;
        const before = farEnd.takenAtMs().length;
        await call(behaviour, deadlineIn(isSilent(behaviour) ? 100 * slowness : patientMs), { key });
        await expect.poll(() => farEnd.takenAtMs(), { timeout: patientMs }).toHaveLength(before + 1);
        expect(await call('takes', deadlineIn(patientMs), { key }), behaviour).toMatchObject({ kind: 'accepted' });
        expect(farEnd.takenAtMs()).toHaveLength(before + 1);
      }
    });

    test('a key whose call was refused may be used again, and another key is another message', async (context) => {
      if (farEnd.sender.reconciliation.kind !== 'keys') return context.skip();
      expect(await call('throttles', deadlineIn(patientMs), replay)).toMatchObject({ kind: 'refused' });
      expect(await call('takes', deadlineIn(patientMs), replay)).toMatchObject({ kind: 'accepted' });
      expect(await call('takes', deadlineIn(patientMs), { key: 'enrollment:another' })).toMatchObject({ kind: 'accepted' });
      expect(farEnd.takenAtMs()).toHaveLength(2);
    });

    test('a key with another message is not accepted, and the address is not blamed', async (context) => {
      if (farEnd.sender.reconciliation.kind !== 'keys') return context.skip();
      await call('takes', deadlineIn(patientMs), replay);
      expect(await call('takes', deadlineIn(patientMs), { ...replay, size: 'another' })).toMatchObject({ kind: 'refused', severity: 'soft' });
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    test('the fields of a replay come in another order, and it is the same message', async (context) => {
      if (farEnd.sender.reconciliation.kind !== 'keys') return context.skip();
      await call('takes', deadlineIn(patientMs), replay);
      farEnd.behave('takes');
      const session = await farEnd.sender.open();
      const outcome = await session.send(reordered(harness.payload('ordinary', replay.key)), replay.key, deadlineIn(patientMs));
      session.close();
      expect(outcome).toMatchObject({ kind: 'accepted' });
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    test('a key whose first call has not ended is in doubt, not refused', async (context) => {
      if (farEnd.sender.reconciliation.kind !== 'keys') return context.skip();
      farEnd.behave('takes_then_hangs');
      const session = await farEnd.sender.open();
      const first = session.send(harness.payload('ordinary', replay.key), replay.key, deadlineIn(patientMs));
      await expect.poll(() => farEnd.takenAtMs(), { timeout: patientMs }).toHaveLength(1);
      expect((await call('takes', deadlineIn(patientMs), replay)).kind).not.toBe('refused');
      session.close();
      await first;
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    function askAbout(key: string): Promise<'accepted' | 'not_accepted'> {
      const { reconciliation } = farEnd.sender;
      if (reconciliation.kind !== 'find') throw new Error('this sender cannot ask');
      return reconciliation.find(key, harness.payload('ordinary', key));
    }

    test('a question finds what was taken, however the call ended, and nothing else', async (context) => {
      if (farEnd.sender.reconciliation.kind !== 'find') return context.skip();
      expect(await askAbout('enrollment:never-sent')).toBe('not_accepted');
      for (const behaviour of farEnd.behaviours.filter((one) => one !== 'is_away' && one !== 'stops_reading')) {
        const key = `enrollment:${behaviour}`;
        const before = farEnd.takenAtMs().length;
        await call(behaviour, deadlineIn(isSilent(behaviour) ? 100 * slowness : patientMs), { key });
        if (behaviour === 'takes_late') await expect.poll(() => farEnd.takenAtMs(), { timeout: patientMs }).toHaveLength(before + 1);
        expect(await askAbout(key), behaviour).toBe(farEnd.takenAtMs().length > before ? 'accepted' : 'not_accepted');
      }
    });

    test.for(unclearAnswers)('a far end that %s when it is asked has not said no', async (answer, context) => {
      const { behaveWhenAsked } = farEnd;
      if (farEnd.sender.reconciliation.kind !== 'find' || behaveWhenAsked === undefined) return context.skip();
      await call('takes_then_resets', deadlineIn(patientMs), replay);
      behaveWhenAsked(answer);
      const askedMs = performance.now();
      await expect(askAbout(replay.key)).rejects.toThrow();
      expect(performance.now() - askedMs).toBeLessThan(patientMs);
      behaveWhenAsked('tells_the_truth');
      expect(await askAbout(replay.key)).toBe('accepted');
    });
  });
}

/**
 * Measures how long the process is kept from running after a deadline, by the gaps between the ticks of a timer: on a busy machine that is
 * not the adapter's doing. @returns the milliseconds from the deadline until it is called; it ends the measuring
 */
export function watchPauses(deadline: Deadline): () => number {
  const tickMs = 5;
  let pausedMs = 0;
  let lastMs = performance.now();
  const tick = () => {
    const nowMs = performance.now();
    // A gap that began before the deadline counts from the deadline on.
    const afterMs = Math.min(nowMs - lastMs, -deadline.remainingMs());
    if (afterMs > 2 * tickMs) pausedMs += afterMs - tickMs;
    lastMs = nowMs;
  };
  const timer = setInterval(tick, tickMs);
  return () => {
    clearInterval(timer);
    tick();
    return pausedMs;
  };
}

/** A far end that gives no answer: a short deadline is enough. */
function isSilent(behaviour: FarEndBehaviour): boolean {
  return /hangs|stops|half|late/.test(behaviour);
}

function sizeFor(behaviour: FarEndBehaviour): 'ordinary' | 'huge' {
  return behaviour === 'stops_reading' ? 'huge' : 'ordinary';
}

/** The payload as Postgres gives it back: `jsonb` keeps no order. */
function reordered(payload: Payload): Payload {
  return Object.fromEntries(Object.entries(payload).toReversed()) as unknown as Payload;
}
