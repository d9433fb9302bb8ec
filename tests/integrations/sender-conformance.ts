import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Deadline, Payload, Sender, SendOutcome } from '../../integrations/port.ts';

/**
 * What the far end can be told to do with the next call. "Takes" means: from there on it would deliver the message.
 * A harness leaves out what its protocol cannot do.
 */
export const farEndBehaviours = {
  takes: ['accepted'],
  takes_and_answers_slowly: ['accepted'],
  refuses: ['refused'],
  refuses_the_address: ['refused'],
  closes_before_taking: ['refused'],
  resets_before_taking: ['refused'],
  hangs_before_taking: ['refused'],
  stops_reading: ['refused', 'unknown'],
  answers_before_the_end: ['refused'],
  refuses_after_the_end: ['refused'],
  hangs_after_the_end: ['unknown'],
  closes_after_the_end: ['unknown'],
  takes_then_hangs: ['unknown'],
  takes_then_closes: ['unknown'],
  takes_then_resets: ['unknown'],
  takes_then_answers_half: ['unknown'],
} as const satisfies Record<string, SendOutcome['kind'][]>;
export type FarEndBehaviour = keyof typeof farEndBehaviours;

/** A far end under test: a real server of the protocol, and a sender that talks to it. */
export interface FarEnd {
  sender: Sender;
  behaviours: FarEndBehaviour[];
  /** What the next call meets. `atTheEnd` is called when the far end is ready for the message, before its end was sent. */
  behave(behaviour: FarEndBehaviour, atTheEnd?: () => void): void;
  /** Wall-clock times at which a message was taken. */
  takenAtMs(): number[];
  close(): Promise<void>;
}

export interface SenderHarness {
  name: string;
  start(): Promise<FarEnd>;
  /** Like the real thing: an ordinary message, and one that is larger than any socket buffer on the way. */
  payload(size: 'ordinary' | 'huge'): Payload;
}

/** A deadline on the wall clock, as the fence gives it. */
export function deadlineIn(ms: number): Deadline {
  const end = performance.now() + ms;
  return { remainingMs: () => end - performance.now() };
}

// The socket's end may come this much after the deadline (design, section 7, assumption a).
const graceMs = 400;

/**
 * What the fence relies on, for any sender: `refused` only if the far end certainly did not take the message, `accepted` only if it
 * did, nothing taken after the deadline, an answer right after it at the latest.
 */
export function describeSenderConformance(harness: SenderHarness): void {
  describe(`the sender contract: ${harness.name}`, () => {
    let farEnd: FarEnd;
    beforeEach(async () => {
      farEnd = await harness.start();
    });
    afterEach(() => farEnd.close());

    async function call(
      behaviour: FarEndBehaviour,
      deadline: Deadline,
      size: 'ordinary' | 'huge' = 'ordinary',
      atTheEnd?: () => void,
    ): Promise<SendOutcome> {
      farEnd.behave(behaviour, atTheEnd);
      const session = await farEnd.sender.open();
      try {
        return await session.send(harness.payload(size), 'enrollment:step', deadline);
      } finally {
        session.close();
      }
    }

    function expectTruth(outcome: SendOutcome, takenBefore = 0): void {
      const taken = farEnd.takenAtMs().length - takenBefore;
      if (outcome.kind === 'refused') expect(taken).toBe(0);
      if (outcome.kind === 'accepted') expect(taken).toBe(1);
      expect(taken).toBeLessThanOrEqual(1);
    }

    for (const [behaviour, expected] of Object.entries(farEndBehaviours) as [FarEndBehaviour, readonly SendOutcome['kind'][]][]) {
      test(`a far end that ${behaviour.replaceAll('_', ' ')} is reported as ${expected.join(' or ')}`, async (context) => {
        if (!farEnd.behaviours.includes(behaviour)) return context.skip();
        const silent = /hangs|stops|half/.test(behaviour);
        const outcome = await call(behaviour, deadlineIn(silent ? 250 : 3_000), behaviour === 'stops_reading' ? 'huge' : 'ordinary');
        expect(expected).toContain(outcome.kind);
        expectTruth(outcome);
      });
    }

    test('an address that will never work is refused hard, any other refusal softly', async () => {
      if (farEnd.behaviours.includes('refuses_the_address')) {
        expect(await call('refuses_the_address', deadlineIn(3_000))).toMatchObject({ kind: 'refused', severity: 'hard' });
      }
      expect(await call('refuses', deadlineIn(3_000))).toMatchObject({ kind: 'refused', severity: 'soft' });
    });

    test('no end of a message is sent when the deadline comes just before it', async () => {
      let remainingMs = 5_000;
      const outcome = await call('takes', { remainingMs: () => remainingMs }, 'ordinary', () => {
        remainingMs = 0;
      });
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
        const deadline = deadlineIn(200);
        const outcome = await call(behaviour, deadline, behaviour === 'stops_reading' ? 'huge' : 'ordinary');
        const endedMs = Date.now();
        expect(deadline.remainingMs()).toBeLessThanOrEqual(0);
        expect(deadline.remainingMs()).toBeGreaterThan(-graceMs);
        expectTruth(outcome, before);
        for (const takenMs of farEnd.takenAtMs()) expect(takenMs).toBeLessThanOrEqual(endedMs);
      }
      expect(hanging.length).toBeGreaterThan(0);
    });

    test('a jump of the wall clock ends a call that hangs, although its timer is not due', async () => {
      let remainingMs = 60_000;
      const outcome = await call('hangs_before_taking', { remainingMs: () => remainingMs }, 'ordinary', () => {
        remainingMs = -1;
      });
      expect(outcome.kind).toBe('refused');
    });

    test('a session sends one message', async () => {
      farEnd.behave('takes');
      const session = await farEnd.sender.open();
      await session.send(harness.payload('ordinary'), 'enrollment:step', deadlineIn(2_000));
      await expect(session.send(harness.payload('ordinary'), 'enrollment:step', deadlineIn(2_000))).rejects.toThrow();
      session.close();
      expect(farEnd.takenAtMs()).toHaveLength(1);
    });

    test('closing a session during a call ends it with a true outcome', async () => {
      for (const behaviour of ['hangs_before_taking', 'takes_then_hangs'] as const) {
        const before = farEnd.takenAtMs().length;
        let reached: () => void = () => {};
        const atTheEnd = new Promise<void>((resolve) => {
          reached = resolve;
        });
        farEnd.behave(behaviour, () => reached());
        const session = await farEnd.sender.open();
        const outcome = session.send(harness.payload('ordinary'), 'enrollment:step', deadlineIn(5_000));
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
      const behaviours = fc.constantFrom(...farEnd.behaviours);
      await fc.assert(
        fc.asyncProperty(
          behaviours,
          fc.integer({ min: 1, max: 60 }),
          fc.constantFrom('ordinary' as const, 'huge' as const),
          async (behaviour, ms, size) => {
            const before = farEnd.takenAtMs().length;
            const outcome = await call(behaviour, deadlineIn(ms), size);
            expectTruth(outcome, before);
          },
        ),
        { numRuns: 20 },
      );
    }, 20_000);
  });
}
