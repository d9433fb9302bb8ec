import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chatPhases } from '../../../domain/chat/state.ts';
import type { ChatAct } from '../../../domain/chat/update.ts';
import type { Recommendations } from '../../../domain/chat/property.ts';
import type { TurnFacts } from '../../../domain/chat/turn.ts';
import { aProperty, Chat, nowMs } from './a-chat.ts';

const act: fc.Arbitrary<ChatAct> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<ChatAct>({ kind: 'start' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('text' as const),
      text: fc.constantFrom(
        'hello',
        'STOP',
        '/stop',
        '/help',
        '/language',
        'Not now',
        '0664 1234567',
        '12345678',
        '/set_admin',
        '/set_admin x',
        '',
        '🏠',
        'خانه',
        'عودة',
        'да',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'grapheme', maxLength: 60 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('button' as const),
      data: fc.oneof(
        fc.constantFrom(
          'interested_property',
          'show_more_properties',
          'schedule_consultation',
          'ask_questions',
          'show_properties',
          'choose_language',
          'goal:buy',
          'language:fa',
          'language:ar',
          'language:ru',
          'constructor',
          'goal:',
          'language:',
        ),
        fc.string({ maxLength: 20 }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('contact' as const),
      phone: fc.constantFrom('436641234567', '+436647654321', '12', 'x'),
      own: fc.boolean(),
      name: fc.constantFrom(null, 'Mara'),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<ChatAct>({ kind: 'blocked' }, { kind: 'unblocked' }, { kind: 'other' }) },
);

const properties = fc.array(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), unitsLeft: fc.constantFrom(null, 0, 1, 2, 5, 6), old: fc.boolean() }),
  { maxLength: 8 },
);

const given: fc.Arbitrary<Partial<TurnFacts>> = fc.record({
  hotMarket: fc.boolean(),
  adminCode: fc.constantFrom(null, 'accepted', 'wrong', 'locked'),
  joined: fc.constantFrom(null, { name: 'Lena', phone: '+436649876543', language: 'ru' }, { name: null, phone: null, language: null }),
  recommendations: fc.option<Recommendations>(
    properties.map((all) => ({
      message: null,
      properties: all.map(({ id, unitsLeft, old }) => aProperty({ id, unitsLeft, expiresAtMs: old ? nowMs : nowMs + 1 })),
    })),
  ),
});

const step = fc.record({
  act,
  given,
  down: fc.integer({ min: 0, max: 9 }),
  jump: fc.integer({ min: -3, max: 1 }),
  languageCode: fc.constantFrom(null, 'en', 'fa', 'ar', 'ru', 'de', '??'),
});

test('a random chat never sticks, keeps its counters in bounds, alerts once, and is silent after a block', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const chat = new Chat();
      let latest = 100;
      let blockedBy: number | null = null;
      let standing = 0;
      for (const { act: did, given: facts, down, jump, languageCode } of steps) {
        // A restart: what came in meanwhile is taken in. Updates arrive in parallel, so some come late.
        const answers = down > 0;
        const id = Math.max(1, latest + jump);
        latest = Math.max(latest, id) + 1;
        const before = chat.state;
        const result = chat.does(did, { ...facts, answers }, { id, languageCode });

        // What an observer outside knows about the block.
        if (id >= standing) {
          if (did.kind === 'blocked') [blockedBy, standing] = [id, id];
          else if (did.kind === 'unblocked' || (isStart(did) && blockedBy !== null)) [blockedBy, standing] = [null, id];
        }
        if (blockedBy !== null || !answers) expect(result.messages).toEqual([]);
        // Whoever speaks to a bot that runs and is not blocked is answered, in every phase.
        else if (did.kind !== 'unblocked' && did.kind !== 'blocked' && id >= standing) expect(result.messages.length).toBeGreaterThan(0);

        const { urgencyScore, fomoMessagesSent } = result.counters;
        expect(urgencyScore).toBeGreaterThanOrEqual(before.urgencyScore);
        expect(urgencyScore).toBeLessThanOrEqual(10);
        const shown = result.messages.flatMap(({ paragraphs }) => paragraphs).filter(({ says }) => says === 'scarcity');
        expect(fomoMessagesSent - before.fomoMessagesSent).toBe(shown.length);
        for (const line of shown) expect(line).toMatchObject({ left: expect.toSatisfy((left: number) => left >= 1 && left <= 5) });
        expect(chatPhases.indexOf(result.nextPhase)).toBeGreaterThanOrEqual(chatPhases.indexOf(before.phase));
        expect(result.notifyAdmin).toBe(result.alert !== null);
        for (const { keys } of result.messages) {
          if (!Array.isArray(keys)) continue;
          for (const { data } of (keys as { data: string }[][]).flat()) expect(new TextEncoder().encode(data).length).toBeLessThanOrEqual(64);
        }
      }
      expect(chat.turns.filter(({ notifyAdmin }) => notifyAdmin).length).toBeLessThanOrEqual(1);
      expect(new Set(chat.state.shown).size).toBe(chat.state.shown.length);
    }),
    { numRuns: 300 },
  );
});

test('from wherever a random chat has come to, a few words and buttons lead to ENGAGEMENT', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
      const chat = new Chat();
      for (const { act: did, given: facts, languageCode } of steps) chat.does(did, facts, { languageCode });
      chat.does({ kind: 'start' });
      for (let times = 0; times < 5; times++) chat.writes('hello');
      expect(chat.state.phase).toBe('ENGAGEMENT');
    }),
    { numRuns: 100 },
  );
});

const isStart = (did: ChatAct) => did.kind === 'start';
