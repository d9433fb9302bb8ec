import { describe, expect, test } from 'vitest';
import { type ChatPhase, type ChatState, newChat } from '../../../domain/chat/state.ts';
import { showsList } from '../../../domain/chat/turn.ts';
import { type ChatAct, intentOf } from '../../../domain/chat/update.ts';
import { aProperty, buttonsIn, Chat, facts, nowMs, saidIn } from './a-chat.ts';

const matches = { message: null, properties: [aProperty()] };

describe('a conversation', () => {
  test('asks for the goal and the number, shows matches, and talks on', () => {
    const chat = new Chat();
    expect(saidIn(chat.does({ kind: 'start' }))).toEqual(['welcome', 'ask_goal']);
    expect(chat.state.phase).toBe('CAPTURE_CONTACT');
    expect(chat.presses('goal:buy').messages).toEqual([{ paragraphs: [{ says: 'ask_contact' }], keys: 'share_contact' }]);
    expect(saidIn(chat.sharesNumber())).toEqual(['thanks_for_number', 'ask_show']);
    expect(chat.state).toMatchObject({ phase: 'VALUE_PROPOSITION', phone: '+436641234567', goal: 'buy' });
    expect(saidIn(chat.presses('show_properties', { recommendations: matches }))).toEqual(['matches', 'scarcity']);
    expect(chat.state.phase).toBe('ENGAGEMENT');
    const talk = chat.writes('Is there a balcony?');
    expect(talk.tasks).toEqual([{ kind: 'question', note: 'Is there a balcony?' }]);
    expect(saidIn(talk)).toEqual(['passed_on']);
  });

  test('takes a number that is written, in any digits', () => {
    const chat = new Chat({ goal: 'buy' });
    expect(chat.writes('+۴۳ ۶۶۴ ۱۲۳۴۵۶۷').leadChanges).toEqual({ phone: '+436641234567', language: 'en', name: 'Mara' });
  });

  test('does not take the contact of somebody else for the number of the lead', () => {
    const chat = new Chat({ goal: 'buy' });
    const result = chat.does({ kind: 'contact', phone: '436641234567', own: false, name: 'Jonas' });
    expect(saidIn(result)).toEqual(['number_of_another']);
    expect(result).toMatchObject({ alert: null, notifyAdmin: false, state: { phone: null, name: 'Mara', phase: 'CAPTURE_CONTACT' } });
  });

  test('goes on without a number after it was asked for twice, or when the person puts it off', () => {
    const patient = new Chat({ goal: 'buy' });
    for (const text of ['why?', 'no', 'really not']) patient.writes(text);
    expect(patient.state.phase).toBe('VALUE_PROPOSITION');
    const direct = new Chat({ goal: 'buy' });
    expect(saidIn(direct.writes('Not now'))).toEqual(['skipped_contact', 'ask_show']);
  });

  test('takes a budget for words once matches are shown', () => {
    const chat = new Chat({ phase: 'ENGAGEMENT' });
    expect(chat.writes('1 500 000').tasks).toEqual([{ kind: 'question', note: '1 500 000' }]);
  });

  test('greets somebody who comes by a link of their own by name, and asks for no number that is known', () => {
    const chat = new Chat();
    const result = chat.does(
      { kind: 'start' },
      { joined: { name: 'Lena', phone: '+436649876543', language: 'ru' } },
      { languageCode: null, name: null },
    );
    expect(saidIn(result)).toEqual(['welcome_back', 'ask_goal']);
    expect(chat.state).toMatchObject({ phase: 'VALUE_PROPOSITION', language: 'ru', name: 'Lena', alerted: false });
    // Known before: the person has not given it in the chat.
    expect(result.alert).toBeNull();
  });

  test('changes its language by a button, and asks the same again', () => {
    const chat = new Chat({ goal: 'buy' });
    expect(buttonsIn(chat.writes('/language'))).toEqual(['language:en', 'language:fa', 'language:ar', 'language:ru']);
    const result = chat.presses('language:fa');
    expect(saidIn(result)).toEqual(['language_chosen', 'ask_contact']);
    expect(result.leadChanges).toEqual({ language: 'fa' });
    expect(chat.presses('language:xx').state.language).toBe('fa');
  });

  test('speaks English where the language is not known, and what the app says once it does', () => {
    const chat = new Chat();
    chat.does({ kind: 'start' }, {}, { languageCode: null });
    expect(chat.state.language).toBeNull();
    chat.does({ kind: 'text', text: 'hello' }, {}, { languageCode: 'ar-EG' });
    expect(chat.state.language).toBe('ar');
  });
});

describe('the hot-lead alert', () => {
  test('has the name, the number, the goal and the time, once for each lead', () => {
    const chat = new Chat();
    chat.does({ kind: 'start' });
    chat.presses('goal:invest');
    expect(chat.sharesNumber()).toMatchObject({ notifyAdmin: true, alert: { name: 'Mara', phone: '+436641234567', goal: 'invest', atMs: nowMs } });
    expect(chat.writes('+43 664 7654321')).toMatchObject({ notifyAdmin: false, alert: null, state: { phone: '+436647654321' } });
  });

  test('is due in any phase', () => {
    expect(new Chat({ phase: 'ENGAGEMENT' }).sharesNumber().notifyAdmin).toBe(true);
  });

  test('is due for a number that came in while the bot was down, which is not answered', () => {
    const result = new Chat({ goal: 'buy' }).sharesNumber({ answers: false });
    expect(result).toMatchObject({ messages: [], notifyAdmin: true, nextPhase: 'VALUE_PROPOSITION' });
  });
});

describe('the turn with matches', () => {
  const ready = { phase: 'VALUE_PROPOSITION', goal: 'buy', language: 'en', name: 'Mara' } as const;

  test('shows the line with the true number, raises the counters, and goes on to ENGAGEMENT', () => {
    const result = new Chat({ ...ready, urgencyScore: 4, fomoMessagesSent: 2 }).presses('show_properties', { recommendations: matches });
    expect(result.messages[0]?.paragraphs).toEqual([
      { says: 'matches', properties: [aProperty()] },
      { says: 'scarcity', title: 'Lakeside Tower, 2 rooms', left: 3, named: false },
    ]);
    expect(result).toMatchObject({ counters: { urgencyScore: 5, fomoMessagesSent: 3 }, nextPhase: 'ENGAGEMENT' });
    expect(buttonsIn(result)).toEqual(['interested_property', 'show_more_properties']);
  });

  test.each([
    ['it is unknown', null],
    ['there are many', 6],
  ])('leaves the line out where %s, and counts none', (_, unitsLeft) => {
    const result = new Chat(ready).presses('show_properties', { recommendations: { message: null, properties: [aProperty({ unitsLeft })] } });
    expect(saidIn(result)).toEqual(['matches']);
    expect(result.counters).toEqual({ urgencyScore: 1, fomoMessagesSent: 0 });
  });

  test('shows nothing that is sold out, or not true any more, or not yet', () => {
    const properties = [aProperty({ unitsLeft: 0 }), aProperty({ expiresAtMs: nowMs }), aProperty({ observedAtMs: nowMs + 1 })];
    const result = new Chat(ready).presses('show_properties', { recommendations: { message: null, properties } });
    expect(saidIn(result)).toEqual(['hot_market']);
  });

  test('names the property that the number is about where several are listed', () => {
    const properties = [aProperty({ id: 'a', unitsLeft: 4 }), aProperty({ id: 'b', title: 'Garden Court', unitsLeft: 2 })];
    const result = new Chat(ready).presses('show_properties', { recommendations: { message: null, properties } });
    expect(result.messages[0]?.paragraphs.at(-1)).toEqual({ says: 'scarcity', title: 'Garden Court', left: 2, named: true });
  });

  test('the urgency ends at ten', () => {
    expect(new Chat({ ...ready, urgencyScore: 10 }).presses('show_properties', { recommendations: matches }).counters.urgencyScore).toBe(10);
    expect(new Chat({ ...ready, urgencyScore: 9 }).presses('show_properties').counters.urgencyScore).toBe(10);
  });

  test('more shows what was not shown before, and says when that is all', () => {
    const properties = Array.from({ length: 7 }, (_, index) => aProperty({ id: `p${index}`, unitsLeft: null }));
    const chat = new Chat(ready);
    const recommendations = { message: null, properties };
    chat.presses('show_properties', { recommendations });
    chat.presses('show_more_properties', { recommendations });
    expect(chat.state.shown).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6']);
    const end = chat.presses('show_more_properties', { recommendations });
    expect(saidIn(end)).toEqual(['no_more']);
    expect(end.counters).toEqual({ urgencyScore: 2, fomoMessagesSent: 0 });
  });
});

test('only a turn that shows a list asks a source for one', () => {
  const asks = (phase: ChatPhase, did: ChatAct, state: Partial<ChatState> = {}) => {
    const chat = { ...newChat, phase, goal: 'buy', ...state };
    return showsList(chat, { id: 5, languageCode: null, name: null, did }, intentOf(did, { phase, country: 'AT', skips: [] }));
  };
  expect(asks('VALUE_PROPOSITION', { kind: 'text', text: 'yes' })).toBe(true);
  expect(asks('ENGAGEMENT', { kind: 'button', data: 'show_more_properties' })).toBe(true);
  expect(asks('CAPTURE_CONTACT', { kind: 'text', text: 'yes' })).toBe(false);
  expect(asks('VALUE_PROPOSITION', { kind: 'start' })).toBe(false);
  expect(asks('VALUE_PROPOSITION', { kind: 'text', text: 'yes' }, { blockedBy: 4, standingBy: 4 })).toBe(false);
});

describe('the turn without matches', () => {
  test.each([
    ['the market is hot', true, 'hot_market'],
    ['nothing is known about the market', false, 'no_match'],
  ] as const)('offers a consultation, where %s', (_, hotMarket, says) => {
    const result = new Chat({ phase: 'VALUE_PROPOSITION', goal: 'buy', urgencyScore: 1, fomoMessagesSent: 3 }).presses('show_properties', {
      hotMarket,
    });
    expect(saidIn(result)).toEqual([says]);
    expect(buttonsIn(result)).toEqual(['schedule_consultation', 'ask_questions']);
    expect(result).toMatchObject({ counters: { urgencyScore: 3, fomoMessagesSent: 3 }, nextPhase: 'ENGAGEMENT' });
  });

  test('is answered the same where the source gives no answer', () => {
    expect(saidIn(new Chat({ phase: 'VALUE_PROPOSITION', goal: 'buy' }).writes('Lakeside', { recommendations: null, hotMarket: false }))).toEqual([
      'no_match',
    ]);
  });
});

describe('the admin', () => {
  test.each([
    ['accepted', true, 'admin_registered'],
    ['wrong', false, 'admin_code_wrong'],
    ['locked', false, 'admin_code_locked'],
    [null, false, 'admin_code_missing'],
  ] as const)('%s: registers %s', (adminCode, registersAdmin, says) => {
    const result = new Chat().writes('/set_admin abc', { adminCode, waitingAlerts: 2 });
    expect(result.registersAdmin).toBe(registersAdmin);
    expect(saidIn(result)).toEqual([says]);
  });
});

describe('a block', () => {
  test('ends all answers until the person comes back', () => {
    const chat = new Chat();
    chat.does({ kind: 'start' });
    chat.does({ kind: 'blocked' });
    expect(chat.writes('hello').messages).toEqual([]);
    expect(chat.sharesNumber()).toMatchObject({ messages: [], alert: null });
    expect(chat.does({ kind: 'unblocked' }).messages).toEqual([]);
    expect(saidIn(chat.writes('a flat'))).toEqual(['ask_contact']);
  });

  test('holds against what was written before it and arrives after it', () => {
    const chat = new Chat();
    chat.does({ kind: 'blocked' }, {}, { id: 50 });
    expect(chat.does({ kind: 'start' }, {}, { id: 49 }).messages).toEqual([]);
    expect(chat.does({ kind: 'unblocked' }, {}, { id: 48 }).state.blockedBy).toBe(50);
    expect(saidIn(chat.does({ kind: 'start' }, {}, { id: 51 }))).toEqual(['welcome', 'ask_goal']);
    expect(chat.does({ kind: 'blocked' }, {}, { id: 50 }).state.blockedBy).toBeNull();
  });

  test('STOP is confirmed once, and changes no phase', () => {
    const chat = new Chat({ phase: 'ENGAGEMENT' });
    expect(saidIn(chat.writes('STOP'))).toEqual(['opted_out']);
    expect(chat.state.phase).toBe('ENGAGEMENT');
    expect(facts.answers).toBe(true);
  });
});
