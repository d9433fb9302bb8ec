import { describe, expect, test } from 'vitest';
import { leastUsed } from '../../../domain/experiments/variant.ts';
import { declines } from '../../../domain/people/decline.ts';
import { silenceStageAt, usualSilenceHours } from '../../../domain/people/silence-stage.ts';
import { lastContactOf } from '../../../domain/people/silence.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('the stages of a silence', () => {
  test.each([
    ['23 h', 23 * hourMs, 'none'],
    ['exactly 24 h', 24 * hourMs, 'none'],
    ['a millisecond more', 24 * hourMs + 1, '24h'],
    ['a millisecond less than 3 days', 3 * dayMs - 1, '24h'],
    ['3 days', 3 * dayMs, '3d'],
    ['a millisecond less than 7 days', 7 * dayMs - 1, '3d'],
    ['7 days', 7 * dayMs, '7d'],
    ['a millisecond less than 14 days', 14 * dayMs - 1, '7d'],
    ['14 days', 14 * dayMs, '14d'],
    ['a millisecond less than 30 days', 30 * dayMs - 1, '14d'],
    ['30 days', 30 * dayMs, '30d'],
    ['a year', 365 * dayMs, '30d'],
  ])('after %s', (_, silentMs, stage) => {
    expect(silenceStageAt(1_000, 1_000 + silentMs, 1)).toBe(stage);
  });

  test('follow the thresholds of the store, and the time scale', () => {
    const hours = { ...usualSilenceHours, '3d': 48 };
    expect(silenceStageAt(0, 2 * dayMs, 1, hours)).toBe('3d');
    expect(silenceStageAt(0, dayMs / 24, 24)).toBe('none');
    expect(silenceStageAt(0, dayMs / 24 + 1, 24)).toBe('24h');
  });
});

test('the last contact is the latest message in either direction, whoever wrote it', () => {
  const asked = { lastActivityAt: 10, lastContactAt: null, contactedAt: null };
  const nobody = { lastReplyAt: null, lastContactedAt: null };
  expect(lastContactOf(asked, [])).toBe(10);
  expect(lastContactOf({ ...asked, lastContactAt: 30, contactedAt: 20 }, [nobody])).toBe(30);
  expect(lastContactOf({ ...asked, contactedAt: 20 }, [nobody, { lastReplyAt: 40, lastContactedAt: 35 }])).toBe(40);
});

test.each([
  ['No, thanks!', true],
  ['not interested', true],
  ['Nein danke.', true],
  ['Нет, спасибо', true],
  ['نه ممنون', true],
  ['لا شكراً', true],
  ['No problem, call me', false],
  ['Not now, but in May', false],
  ['Yes', false],
])('"%s" declines: %s', (text, expected) => {
  expect(declines(text)).toBe(expected);
});

test('a text is repeated only once all of them were used as often', () => {
  const texts = ['a', 'b', 'c'].map((id) => ({ id, content: `x/${id}`, weight: 1 }));
  expect(leastUsed(texts, ['a', 'b'], 0.01).id).toBe('c');
  expect(leastUsed(texts, ['a', 'b', 'c', 'c', 'a'], 0.99).id).toBe('b');
  expect(leastUsed(texts, [], 0.5).id).toBe('b');
});

describe('a sequence about a silence', () => {
  const yaml = (more = '') =>
    `sequence: quiet\nname: Quiet\non: lead.silent\n${more}steps:\n  - { id: mail, at: 3d, channel: email, texts: [quiet/a, quiet/b] }\n`;
  const definitionOf = (text: string) => {
    const read = parseSequence(text);
    if (!read.ok) throw new Error(JSON.stringify(read.errors));
    return read.definition;
  };

  test('has its defaults: more than a day of quiet, once in each silence, ended by every answer', () => {
    expect(definitionOf(yaml())).toMatchObject({
      quietForMs: dayMs,
      reentry: 'once-per-silence',
      stopOn: ['purchased', 'replied', 'opted_out', 'contacted'],
      steps: [{ varied: true, variants: [{ id: 'a' }, { id: 'b' }] }],
    });
  });

  test.each([
    ['stopOn: [purchased, opted_out, contacted]\n', 'must contain replied'],
    ['stopOn: [purchased, opted_out, replied]\n', 'must contain contacted'],
    ['quietFor: 2h\n', 'a lead counts as silent after more than 24h'],
  ])('is refused with %j', (more, message) => {
    expect(JSON.stringify(parseSequence(yaml(more)))).toContain(message);
  });

  test('a reply before it counts moves it; a reply after that ends it', () => {
    const from = Date.UTC(2026, 2, 10, 12);
    const events = [
      { atMs: from, type: 'subject.updated' as const },
      { atMs: from + 2 * dayMs, type: 'message.received' as const },
    ];
    const moved = rehearse(definitionOf(yaml('maxAge: 30d\n')), events);
    expect(moved.log.flatMap((entry) => (entry.kind === 'sent' ? [entry.atMs] : []))).toEqual([from + 5 * dayMs]);
    const marked = yaml('maxAge: 30d\n').replace('steps:\n', 'steps:\n  - { id: mark, at: 24h, channel: none }\n');
    expect(rehearse(definitionOf(marked), events).finished).toMatchObject({ reason: 'replied', atMs: from + 2 * dayMs });
  });
});
