import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LimitInTurn, WaitingInTurn } from '../../operations/in-turn.ts';

describe('those who wait in turn', () => {
  test('nobody waits for more than one of each other key, beside those of its own before it', () => {
    const arrivals = fc.array(fc.constantFrom('a', 'b', 'c', null), { maxLength: 60 });
    fc.assert(
      fc.property(arrivals, (steps) => {
        const waiting = new WaitingInTurn<{ key: string; n: number }>();
        const inside: { key: string; n: number; before: Map<string, number> }[] = [];
        const served = (one: { key: string; n: number }) => {
          const index = inside.findIndex(({ n }) => n === one.n);
          const [own] = inside.splice(index, 1);
          // In the order of their coming among their own.
          expect(inside.some(({ key, n }) => key === one.key && n < one.n)).toBe(false);
          for (const other of inside) other.before.set(one.key, (other.before.get(one.key) ?? 0) + 1);
          const ownBefore = own?.before.get(one.key) ?? 0;
          for (const [key, times] of own?.before ?? []) if (key !== one.key) expect(times).toBeLessThanOrEqual(ownBefore + 1);
        };
        let n = 0;
        // null: one is served.
        for (const step of steps) {
          if (step === null) {
            const one = waiting.shift();
            if (one === undefined) expect(inside).toEqual([]);
            else served(one);
          } else {
            waiting.push(step, { key: step, n });
            inside.push({ key: step, n: n++, before: new Map() });
          }
        }
        for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) served(one);
        expect(inside).toEqual([]);
      }),
    );
  });
});

describe('a limit in turn', () => {
  test('never runs more at once, gives a place back after a failure, and answers with what the work did', async () => {
    const limit = new LimitInTurn(2);
    let [running, most] = [0, 0];
    const work = (n: number) => async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      if (n % 3 === 0) throw new Error(`${n} failed`);
      return n;
    };
    const done = await Promise.allSettled(Array.from({ length: 9 }, (_, n) => limit.run(n < 6 ? 'busy' : 'quiet', work(n))));
    expect(most).toBe(2);
    expect(done.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(['failed', 1, 2, 'failed', 4, 5, 'failed', 7, 8]);
    expect(await limit.run('busy', () => Promise.resolve('again'))).toBe('again');
  });
});
