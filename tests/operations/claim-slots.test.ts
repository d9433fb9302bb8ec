import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ClaimSlots } from '../../operations/claim-slots.ts';

/** How many of ten that ask at once are given a slot. */
async function openSlots(slots: ClaimSlots): Promise<number> {
  const asked = Array.from({ length: 10 }, () => slots.take('store'));
  let granted = 0;
  for (const one of asked) void one.then(() => granted++);
  await Promise.resolve();
  await Promise.resolve();
  const open = granted;
  for (const one of asked) (await one)();
  return open;
}

describe('slots for claims', () => {
  test('are given in order of asking, each once, however often one is given back', async () => {
    const slots = new ClaimSlots(2, 2);
    const first = await slots.take('store');
    await slots.take('store');
    const granted: number[] = [];
    const third = slots.take('store').then((release) => (granted.push(3), release));
    const fourth = slots.take('store').then((release) => (granted.push(4), release));
    first();
    first();
    await third;
    expect(granted).toEqual([3]);
    (await third)();
    await fourth;
    expect(granted).toEqual([3, 4]);
  });

  test('the stores are given theirs in turn', async () => {
    const slots = new ClaimSlots(1);
    const granted: string[] = [];
    const held = await slots.take('busy');
    const asked = ['busy', 'busy', 'busy', 'quiet', 'other'].map((store) =>
      slots.take(store).then((release) => {
        granted.push(store);
        release();
      }),
    );
    held();
    await Promise.all(asked);
    expect(granted).toEqual(['busy', 'quiet', 'other', 'busy', 'busy']);
  });

  test('begin with one, are opened while claims reach their calls quickly, and closed where one does not', async () => {
    const slots = new ClaimSlots(3);
    const note = (ms: number, times: number) => Array.from({ length: times }, () => slots.noteCall(ms));
    expect(await openSlots(slots)).toBe(1);
    note(5, 49);
    expect(await openSlots(slots)).toBe(1);
    note(5, 1);
    expect(await openSlots(slots)).toBe(2);
    // One that is neither quick nor slow begins the count anew.
    note(5, 49);
    note(30, 1);
    note(5, 49);
    expect(await openSlots(slots)).toBe(2);
    note(5, 1);
    expect(await openSlots(slots)).toBe(3);
    note(5, 200);
    expect(await openSlots(slots)).toBe(3);
    note(60, 1);
    expect(await openSlots(slots)).toBe(2);
    note(60, 5);
    expect(await openSlots(slots)).toBe(1);
  });

  test('whoever is held up holds up nobody else, until the most are taken', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const slots = new ClaimSlots(2);
    const granted: number[] = [];
    const [first, second, third] = [1, 2, 3].map((n) => slots.take('store').then((release) => (granted.push(n), release)));
    await vi.advanceTimersByTimeAsync(99);
    expect(granted).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(granted).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(granted).toEqual([1, 2]);
    (await first)?.();
    (await third)?.();
    (await second)?.();
    expect(granted).toEqual([1, 2, 3]);
    // Nobody is held up any more: there is one slot again.
    expect(await openSlots(slots)).toBe(1);
  });

  test('one that is opened goes to who waits, and one that is closed is given to nobody', async () => {
    const slots = new ClaimSlots(2);
    const first = await slots.take('store');
    let second: (() => void) | null = null;
    const waiting = slots.take('store').then((release) => (second = release));
    Array.from({ length: 50 }, () => slots.noteCall(1));
    await waiting;
    expect(second).not.toBeNull();
    slots.noteCall(100);
    let third = false;
    void slots.take('store').then(() => (third = true));
    first();
    await Promise.resolve();
    await Promise.resolve();
    expect(third).toBe(false);
    (second as unknown as () => void)();
    await Promise.resolve();
    await Promise.resolve();
    expect(third).toBe(true);
  });
});
