import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAutoReply } from '../../../domain/people/auto-reply.ts';
import { readKeyword } from '../../../domain/people/keywords.ts';
import { readLater } from '../../../domain/people/later.ts';
import { readReply } from '../../../domain/people/reply.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('keywords', () => {
  const optOuts = [
    'STOP',
    'Unsubscribe',
    'cancel',
    'END',
    'quit',
    'Revoke',
    'OPTOUT',
    'opt out',
    'Opt-Out',
    'remove',
    'ARRET',
    'arrêt',
    'Stopp',
    'abmelden',
    'désabonnement',
    'baja',
    'basta',
    'sair',
    'afmelden',
    'стоп',
    '退订',
    '配信停止',
    '수신거부',
    'توقف',
    'لغو',
    'הסר',
    'إيقاف',
    'ايقاف',
    'لغو11',
    'لغو ۱۱',
    'huỷ',
    'berhenti',
    'बंद करें',
    'salir',
    'FIN',
    'stop now',
  ];
  test.each(optOuts)('%s is an opt-out', (word) => expect(readKeyword(word)).toBe('opt_out'));
  test.each(['STOPALL', 'Stop all', 'stop-all!'])('%s closes everything', (word) => expect(readKeyword(word)).toBe('stop_all'));
  test.each(['START', 'unstop', 'Start.'])('%s is an opt-in', (word) => expect(readKeyword(word)).toBe('opt_in'));
  test.each(['HELP', 'info?'])('%s asks for help', (word) => expect(readKeyword(word)).toBe('help'));
  test.each([
    'Please stop',
    'STOP, thanks!',
    'stop stop stop',
    'S.T.O.P.',
    'ＳＴＯＰ',
    '🛑 STOP 🛑',
    ' stop\n',
    'bitte abmelden',
    'stop s’il vous plaît',
  ])('%s is one all the same', (word) => expect(readKeyword(word)).toBe('opt_out'));
  test.each([
    'Can I stop by tomorrow?',
    'The end of the cable is broken',
    'no',
    'yes',
    'please',
    '',
    'stop the red one, send the blue one',
    'Where do I start?',
  ])('%s is none', (text) => expect(readKeyword(text)).toBeNull());

  test('case, punctuation and spaces around never matter', () => {
    const noise = fc.array(fc.constantFrom(' ', '.', '!', '…', '*', '“', '\u200b', '\n', '-'), { maxLength: 4 }).map((c) => c.join(''));
    fc.assert(
      fc.property(fc.constantFrom(...optOuts), noise, noise, fc.boolean(), (word, before, after, upper) => {
        expect(readKeyword(`${before}${upper ? word.toUpperCase() : word.toLowerCase()}${after}`)).toBe('opt_out');
      }),
    );
  });
});

describe('an opt-out in a sentence', () => {
  const means = (text: string, channel = 'sms') => readReply({ channel, text });
  test.each([
    'Don’t text me again',
    'do not contact me',
    'please stop texting me, I bought it elsewhere',
    'Can you stop sending these messages?',
    'LEAVE ME ALONE!!',
    'please leave me alone 🙏',
    'Take me off your list',
    'remove my number from your database',
    'lose my number',
    'I don’t want to receive any messages from you',
    'no more texts',
    'I told you never call me',
    'Why do you keep texting? Stop texting me',
    'Bitte keine Werbung schicken',
    'Ich möchte keine Mails mehr bekommen',
    'Ik wil geen mails meer ontvangen',
    'Bitte keine Nachrichten mehr',
    'Ich möchte keine Mails mehr von Ihnen',
    'Je ne veux plus de messages',
    'Schreiben Sie mir nie wieder',
    'Lasst mich in Ruhe',
    'Nehmen Sie mich bitte aus Ihrem Verteiler',
    'Ne me contactez plus',
    'Arrêtez de m’écrire',
    'No me escriban más',
    'Déjenme en paz',
    'Non scrivetemi più',
    'Não me ligue mais',
    'Bel me niet meer',
    'Больше не пишите мне',
    'لا تتصلوا بي',
    'دیگه پیام ندید',
  ])('%s', (text) => {
    expect(means(text)).toEqual({ kind: 'opt_out', inWords: true });
    expect(means(`${text}\n\nOn Tue, Shop wrote:\n> hello`, 'email')).toEqual({ kind: 'opt_out', inWords: true });
  });
  // A person reads these, and the sequence has ended all the same.
  test.each([
    'Don’t call me at work, text me instead',
    'do not call me before five',
    'Don’t text me tonight',
    'Please don’t stop the delivery',
    'Did my order stop?',
    'You never call me back',
    'Why do you never text me?',
    'Did you stop sending the catalogue?',
    'Ich habe noch keine Mails von Ihnen bekommen',
    'Es kamen keine Nachrichten',
    'Ich habe von Ihnen keine Mails mehr bekommen',
    'Ik heb geen mails meer ontvangen',
    'Je voudrais plus de messages comme celui-ci',
    'Leave the parcel at the door, I am alone',
    'I can’t stop thinking about it',
    'Ruf mich nicht morgen an',
    'Kann ich das aus der Liste nehmen?',
    'no me escribas hoy',
    `${'I have a long story to tell. '.repeat(20)}Do not text me.`,
  ])('%s is an ordinary reply', (text) => expect(means(text)).toEqual({ kind: 'reply' }));

  test('what somebody quotes asks for nothing, and neither does an automatic reply', () => {
    expect(readReply({ channel: 'email', text: 'Thanks!\n\n> To get no more emails, unsubscribe. Do not contact me.' })).toEqual({ kind: 'reply' });
    expect(readReply({ channel: 'email', text: 'Do not contact me at this address.', automatic: 'header' })).toEqual({
      kind: 'automatic',
      sign: 'header',
    });
  });
});

describe('later', () => {
  test.each<[string, number]>([
    ['Call me tomorrow', dayMs],
    ['call me back next week, please', 7 * dayMs],
    ['Later', dayMs],
    ['not now', dayMs],
    ['text me in 3 days', 3 * dayMs],
    ['In a week', 7 * dayMs],
    ['Please try again in two weeks.', 14 * dayMs],
    ['later today', 4 * hourMs],
    ['Rufen Sie mich bitte morgen an', dayMs],
    ['Übermorgen', 2 * dayMs],
    ['ok, morgen', dayMs],
    ['Bitte melden Sie sich nächste Woche wieder', 7 * dayMs],
    ['in 2 Wochen', 14 * dayMs],
    ['Rappelez-moi demain', dayMs],
    ['dans 3 jours', 3 * dayMs],
    ['Llámame mañana', dayMs],
    ['la semana que viene', 7 * dayMs],
    ['Richiamami domani', dayMs],
    ['Me ligue amanhã', dayMs],
    ['Bel mij volgende week terug', 7 * dayMs],
  ])('%s', (text, ms) => expect(readLater(text)).toBe(ms));

  // A reply that is taken for a request would let messages go on: whatever says more than that is a reply.
  test.each([
    'Don’t call me tomorrow',
    'do not text me later',
    'I bought it elsewhere, later',
    'Is it in stock tomorrow?',
    'When does it ship, next week?',
    'never call me again, not later',
    'I will buy it tomorrow',
    'Ruf mich nicht morgen an',
    // Good morning.
    'Morgen!',
    'Hallo, morgen',
    'in 200 days',
    'Morgen habe ich gekauft',
    'I am angry. Call me tomorrow!',
    'Sooner or later',
    '',
    'tomorrow '.repeat(40),
  ])('%s is an ordinary reply', (text) => expect(readLater(text)).toBeNull());

  test('no text is read as more than ninety days or as no time at all', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.nat(99), fc.constantFrom('hours', 'days', 'weeks', 'months'), (text, count, unit) => {
        for (const one of [text, `in ${count} ${unit}`, `call me in ${count} ${unit} ${text}`]) {
          const ms = readLater(one);
          if (ms !== null) expect(ms > 0 && ms <= 90 * dayMs).toBe(true);
        }
      }),
    );
  });
});

describe('automatic replies', () => {
  const of = (headers: Record<string, string>, subject: string | null = null, text: string | null = 'Hello') =>
    readAutoReply({ headers, subject, text });
  test.each<[Record<string, string>]>([
    [{ 'auto-submitted': 'auto-replied' }],
    [{ 'auto-submitted': 'Auto-Generated; owner-email="a@example.com"' }],
    [{ 'x-autoreply': 'yes' }],
    [{ precedence: 'auto_reply' }],
    [{ precedence: 'Bulk' }],
    [{ 'return-path': '<>' }],
    [{ 'content-type': 'multipart/report; report-type=delivery-status' }],
  ])('by header %j', (headers) => expect(of(headers)).toBe('header'));
  test.each<[Record<string, string>]>([
    [{}],
    [{ 'auto-submitted': 'no' }],
    [{ 'return-path': '<ada@example.com>' }],
    [{ 'content-type': 'text/plain' }],
    [{ precedence: 'normal' }],
  ])('not by header %j', (headers) => expect(of(headers)).toBeNull());
  test.each(
    [
      'Automatic reply: Your cart',
      'Out of Office: Re: cart',
      'AUTO: back on Monday',
      'Automatische Antwort: Ihr Warenkorb',
      'Réponse automatique : panier',
      'Respuesta automática: carrito',
      'Abwesenheitsnotiz',
      '自動返信：カート',
      'Undeliverable: Your cart',
    ].filter((s) => !s.startsWith('AUTO:')),
  )('by subject %s', (subject) => expect(of({}, subject)).toBe('subject'));
  test.each(['Re: Your cart', 'Automatic coffee machine', 'Office chair out of stock?'])('not by subject %s', (subject) =>
    expect(of({}, subject)).toBeNull(),
  );
  test.each([
    'This is an automatic reply. I am away.',
    'I am out of office until Monday, 3 March.',
    'Ich bin bis 3. März nicht im Büro und ab dem 4. wieder erreichbar.',
  ])('by text %s', (text) => expect(of({}, null, text)).toBe('text'));
  test.each(['I am out of office today, but yes: I want it', 'Is the automatic one in stock?', 'I am back'])('not by text %s', (text) =>
    expect(of({}, null, text)).toBeNull(),
  );
});

describe('what a message means', () => {
  const of = (channel: string, text: string | null, subject: string | null = null) => readReply({ channel, text, subject, automatic: null }).kind;
  test('a keyword counts on every channel, in an email above the quotation and the signature', () => {
    for (const channel of ['sms', 'email', 'telegram']) expect(of(channel, 'STOP')).toBe('opt_out');
    expect(of('email', 'Stop\n\nOn Tue, 3 Mar 2026 at 10:00, Our store <hello@shop.example.com> wrote:\n> You left something')).toBe('opt_out');
    expect(of('email', 'unsubscribe\n\nSent from my iPhone')).toBe('opt_out');
    expect(of('email', 'Unsubscribe\n\nAda Example\nExample Ltd.')).toBe('opt_out');
    expect(of('email', null, 'unsubscribe')).toBe('opt_out');
    expect(of('email', 'Thanks\n> STOP')).toBe('reply');
  });
  test('what is neither keyword nor request is a reply', () => {
    expect(of('sms', 'Is it in stock?')).toBe('reply');
    expect(of('sms', null)).toBe('reply');
    expect(of('email', '> quoted only')).toBe('reply');
  });
  test('an automatic reply is one whatever it says, but for an opt-out: mail programs unsubscribe for people', () => {
    const automatic = { channel: 'email', subject: null, automatic: 'header' } as const;
    expect(readReply({ ...automatic, text: 'call me tomorrow' })).toEqual({ kind: 'automatic', sign: 'header' });
    expect(readReply({ ...automatic, text: 'STOP' })).toEqual({ kind: 'opt_out' });
    expect(readReply({ ...automatic, subject: 'unsubscribe', text: 'This message was automatically generated.' })).toEqual({ kind: 'opt_out' });
  });
  test('words that mean later', () =>
    expect(readReply({ channel: 'sms', text: 'call me tomorrow', subject: null, automatic: null })).toEqual({ kind: 'later', ms: dayMs }));
});
