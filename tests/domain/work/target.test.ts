import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pickTarget, type WorkTarget } from '../../../domain/work/target.ts';

// Whom a task goes to: docs/rules.md#rule-84

const target = (name: string, more: Partial<WorkTarget> = {}): WorkTarget => ({ name, role: 'agent', skills: [], onDuty: null, ...more });
const wish = { role: 'agent', skill: null, rule: 'round_robin', day: 'mon', minute: 600 } as const;
const work = new Map([
  ['Ana', { open: 5, lastAtMs: 1 }],
  ['Ben', { open: 1, lastAtMs: 2 }],
]);

test('by turns, or by load', () => {
  const both = [target('Ana'), target('Ben')];
  expect(pickTarget(both, work, wish)?.name).toBe('Ana');
  expect(pickTarget(both, work, { ...wish, rule: 'load' })?.name).toBe('Ben');
  expect(pickTarget([...both, target('Cy')], work, { ...wish, rule: 'load' })?.name).toBe('Cy');
});

test('with the skill where somebody has it, on duty where somebody is, and of the role in any case', () => {
  const hours = { fromMinute: 540, toMinute: 600, days: ['mon'] };
  expect(pickTarget([target('Ana'), target('Ben', { skills: ['senior'] })], work, { ...wish, skill: 'senior' })?.name).toBe('Ben');
  expect(pickTarget([target('Ana')], work, { ...wish, skill: 'senior' })?.name).toBe('Ana');
  const two = [target('Ana', { onDuty: hours }), target('Ben')];
  expect([pickTarget(two, work, { ...wish, minute: 599 })?.name, pickTarget(two, work, wish)?.name]).toEqual(['Ana', 'Ben']);
  expect(pickTarget([target('Ana', { onDuty: hours })], work, wish)?.name).toBe('Ana');
  const night = { fromMinute: 1_320, toMinute: 360, days: ['sun'] };
  const day = { fromMinute: 360, toMinute: 1_320, days: ['sun', 'mon'] };
  const shifts = [target('Ana', { onDuty: night }), target('Ben', { onDuty: day })];
  const onShift = (on: string, minute: number) => pickTarget(shifts, new Map(), { ...wish, day: on, minute })?.name;
  expect([onShift('sun', 1_320), onShift('mon', 0), onShift('mon', 359)]).toEqual(['Ana', 'Ana', 'Ana']);
  expect([onShift('sun', 1_319), onShift('mon', 360)]).toEqual(['Ben', 'Ben']);
  expect(pickTarget([target('Ana')], work, { ...wish, role: 'manager' })).toBeNull();
});

test('by turns nobody waits for more than everybody else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }), (people, tasks) => {
      const targets = Array.from({ length: people }, (_, index) => target(`p${index}`));
      const given = new Map<string, { open: number; lastAtMs: number }>();
      for (let at = 1; at <= tasks; at += 1) {
        const name = pickTarget(targets, given, wish)?.name ?? '';
        given.set(name, { open: (given.get(name)?.open ?? 0) + 1, lastAtMs: at });
      }
      const counts = targets.map(({ name }) => given.get(name)?.open ?? 0);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});
