import { describe, expect, test } from 'vitest';
import { chatTexts, renderChatMessage, renderHotLead, skipLabels } from '../../content/chat/render.ts';
import { chatLanguages } from '../../domain/chat/language.ts';
import { type ChatMessage, type Paragraph, plainParagraphs } from '../../domain/chat/message.ts';
import { aProperty, nowMs } from '../domain/chat/a-chat.ts';

const store = { name: 'Aurora Homes', timeZone: 'Asia/Dubai' };

/** Values that run against each language: Latin, Persian, and neither. */
const hostile = ['Mara', 'سارا', '42 (b) — +', 'a\u202eb'];

const paragraphs: Paragraph[] = [
  ...plainParagraphs.map((says) => ({ says })),
  ...[null, ...hostile].flatMap((name): Paragraph[] => [
    { says: 'welcome', name },
    { says: 'welcome_back', name },
    { says: 'thanks_for_number', name },
  ]),
  ...hostile.flatMap((title): Paragraph[] => [
    {
      says: 'matches',
      properties: [aProperty({ title, area: title }), aProperty({ title, area: null, priceMinor: null, unitsLeft: null, url: null })],
    },
    { says: 'scarcity', title, left: 3, named: true },
    { says: 'source_message', text: title },
  ]),
  ...[1, 2, 3, 5, 11, 21].map((left): Paragraph => ({ says: 'scarcity', title: 'x', left, named: false })),
  ...[0, 1, 2, 7].map((waiting): Paragraph => ({ says: 'admin_registered', waiting })),
];

describe.each(chatLanguages)('in %s', (language) => {
  test.each(paragraphs.map((paragraph) => [JSON.stringify(paragraph).slice(0, 60), paragraph] as const))('%s', (_, paragraph) => {
    const { text } = renderChatMessage({ paragraphs: [paragraph], keys: null }, language, store);
    expect(text.trim()).not.toBe('');
    expect(text).not.toMatch(/[{}]/);
    expect(text.length).toBeLessThanOrEqual(4_096);
    expectDirections(text, language === 'fa' || language === 'ar');
  });

  test('no text of another language is left in', () => {
    const own = JSON.stringify({ ...chatTexts[language], name: '', labels: { ...chatTexts[language].labels, language: '' } });
    if (language === 'en' || language === 'ru') expect(own).not.toMatch(/\p{Script=Arabic}/u);
    if (language === 'fa' || language === 'ar') expect(own.match(/\p{Script=Arabic}/gu)?.length).toBeGreaterThan(1_000);
    // Persian and Arabic write some letters differently.
    if (language === 'fa') expect(own).not.toMatch(/[كيى]/);
    if (language === 'ar') expect(own).not.toMatch(/[کیگچپژ]/);
  });

  test('the alert has its four fields, and says where one is not known', () => {
    const { alert } = chatTexts[language];
    const full = renderHotLead({ name: 'Mara Lindt', phone: '+436641234567', goal: 'buy', atMs: nowMs }, language, store);
    const [title, name, phone, goal, time] = full.replace(/[\u200f\u2068\u2069]/g, '').split('\n');
    expect([title, name, phone, goal]).toEqual([
      alert.title,
      `${alert.name}: Mara Lindt`,
      `${alert.phone}: +436641234567`,
      `${alert.goal}: ${chatTexts[language].goals.buy}`,
    ]);
    expect(time?.startsWith(`${alert.time}: `)).toBe(true);
    expectDirections(full, language === 'fa' || language === 'ar');
    expect(renderHotLead({ name: null, phone: '+436641234567', goal: null, atMs: nowMs }, language, store)).toContain(alert.unknown);
  });

  test('every button has a label', () => {
    const labels = [...Object.values(chatTexts[language].labels), ...Object.values(chatTexts[language].goals), chatTexts[language].name];
    for (const label of labels) expect(label.length).toBeGreaterThan(1);
  });
});

test('the scarcity line has the true number in the plural of its language', () => {
  const line = (language: (typeof chatLanguages)[number], left: number) =>
    renderChatMessage({ paragraphs: [{ says: 'scarcity', title: 'x', left, named: false }], keys: null }, language, store).text.replace(
      /[\u200f\u2068\u2069]/g,
      '',
    );
  expect(line('en', 3)).toBe('⚠️ Only 3 units remain at this price.');
  expect(line('fa', 3)).toBe('⚠️ تنها ۳ واحد با این قیمت باقی مانده است.');
  expect(line('ar', 3)).toMatch(/^⚠️ بقيت [3٣] وحدات فقط بهذا السعر\.$/);
  expect(line('ru', 3)).toBe('⚠️ По этой цене осталось только 3 объекта.');
  expect(line('en', 1)).toBe('⚠️ Only 1 unit remains at this price.');
  expect(line('ru', 1)).toBe('⚠️ По этой цене остался только 1 объект.');
  expect(line('ar', 2)).toBe('⚠️ بقيت وحدتان فقط بهذا السعر.');
});

test('a list with the longest values fits into a message, the scarcity line included', () => {
  const long = 'x'.repeat(500);
  const properties = Array.from({ length: 5 }, (_, id) =>
    aProperty({ id: `${id}`, title: long, area: long, url: `https://homes.example/${'y'.repeat(270)}` }),
  );
  const message: ChatMessage = {
    paragraphs: [
      { says: 'source_message', text: long },
      { says: 'matches', properties },
      { says: 'scarcity', title: long, left: 3, named: true },
    ],
    keys: null,
  };
  for (const language of chatLanguages) {
    const { text } = renderChatMessage(message, language, store);
    expect(text.length).toBeLessThanOrEqual(4_096);
    expect(text).toContain('⚠️');
  }
});

test('the words that put the number off are known in every language', () => {
  expect(skipLabels).toEqual(['Not now', 'فعلاً نه', 'ليس الآن', 'Не сейчас']);
});

/** Every line runs in the direction of its language, and what runs against it is isolated. */
function expectDirections(text: string, rightToLeft: boolean): void {
  expect(text).not.toMatch(/[\u202a-\u202e]/);
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('https://'))) {
    const bare = line.replace(/\u2068[^\u2069]*\u2069/g, '');
    if (rightToLeft) {
      expect(firstStrong(line)).toBe('rtl');
      // Commands stand in the middle of a sentence, and keep their order by themselves.
      expect(bare.replace(/\/(language|stop|set_admin)|Rekindle/g, '')).not.toMatch(/\p{Script=Latin}/u);
    } else {
      expect(bare).not.toMatch(/\p{Script=Arabic}/u);
      expect(firstStrong(line)).not.toBe('rtl');
    }
  }
}

/** As the bidirectional algorithm has it: isolated values are left out (UAX 9, P2). */
function firstStrong(line: string): 'ltr' | 'rtl' | null {
  const bare = line.replace(/[\u2066-\u2068][^\u2069]*\u2069/g, '');
  const strong = /[\u200e\u200f\p{L}]/u.exec(bare)?.[0];
  if (strong === undefined) return null;
  return strong === '\u200f' || /\p{Script=Arabic}/u.test(strong) ? 'rtl' : 'ltr';
}
