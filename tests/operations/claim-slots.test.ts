import { describe, expect, test } from 'vitest';
import { ClaimSlots } from '../../operations/claim-slots.ts';

describe('slots for claims', () => {
  test('are given in order of asking, each once, however often one is given back', async () => {
    const slots = new ClaimSlots(2);
    const first = await slots.take();
    await slots.take();
    const granted: number[] = [];
    const third = slots.take().then((release) => (granted.push(3), release));
    const fourth = slots.take().then((release) => (granted.push(4), release));
    first();
    first();
    await third;
    expect(granted).toEqual([3]);
    (await third)();
    await fourth;
    expect(granted).toEqual([3, 4]);
  });
});
