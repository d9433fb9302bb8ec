import { foldWords } from './fold-words.ts';

/** How an automatic reply was recognised. */
export type AutoReplySign = 'header' | 'subject' | 'text';

/** Header fields by their names in lower case. */
export type MailHeaders = Readonly<Record<string, string>>;

/** The header fields that tell an automatic reply, in lower case. */
export const autoReplyHeaders = [
  'auto-submitted',
  'x-auto-submitted',
  'x-autoreply',
  'x-autorespond',
  'x-autoresponder',
  'x-mail-autoreply',
  'x-vacation',
  'precedence',
  'x-precedence',
  'return-path',
  'content-type',
] as const;

/** How such messages begin their subject, folded. `autoreply` and the like are one word as well as two. */
const subjects = [
  'auto reply',
  'autoreply',
  'auto response',
  'automatic reply',
  'automatic response',
  'automated reply',
  'automated response',
  'out of office',
  'out of the office',
  'vacation reply',
  'vacation auto',
  'automatische antwort',
  'abwesenheit',
  'abwesenheitsnotiz',
  'abwesenheitsnachricht',
  'reponse automatique',
  'absence du bureau',
  'absent du bureau',
  'message d absence',
  'respuesta automatica',
  'fuera de la oficina',
  'fuera de oficina',
  'risposta automatica',
  'fuori sede',
  'fuori ufficio',
  'resposta automatica',
  'fora do escritorio',
  'ausencia do escritorio',
  'automatisch antwoord',
  'afwezigheidsbericht',
  'niet aanwezig',
  'automatyczna odpowiedz',
  'autosvar',
  'automatiskt svar',
  'automatisk svar',
  'automaattinen vastaus',
  'automaticka odpoved',
  'automatikus valasz',
  'raspuns automat',
  'otomatik yanit',
  'автоответ',
  'автоматический ответ',
  'αυτοματη απαντηση',
  '自動返信',
  '自動応答',
  '自动回复',
  '自動回覆',
  '자동 회신',
  'undeliverable',
  'undelivered mail',
  'mail delivery failed',
  'mail delivery failure',
  'delivery status notification',
  'unzustellbar',
].map(foldWords);

/**
 * What only a program writes of itself. "I am out of office today, but yes" is a person's answer: a text alone counts where it calls itself automatic, or
 * says both that somebody is away and until when.
 */
const texts = [
  /\bth(is|e following) is an? (automatic|automated|auto) (reply|response|message|e ?mail)\b/,
  /\b(dies|das) ist eine automatisch\w* (antwort|nachricht|e ?mail|generierte)\b/,
  /\bceci est (un message|une reponse) automatique\b/,
  /\b(este es un mensaje|esta es una respuesta) automatic[oa]\b/,
  /\b(questo e un messaggio|questa e una risposta) automatic[oa]\b/,
  /\b(esta e uma (mensagem|resposta)) automatica\b/,
  /\bdit is een automatisch (antwoord|bericht)\b/,
  /^.{0,80}\bout of (the )?office\b.{0,120}\b(until|till|return|returning|back on|from)\b/,
  /^.{0,80}\b(bin|befinde mich)\b.{0,60}\b(nicht im (buro|haus)|ausser haus|abwesend|im urlaub)\b.{0,120}\b(bis|ab dem|wieder)\b/,
  /^.{0,80}\babsente? du bureau\b.{0,120}\b(jusqu|retour|du)\b/,
  /^.{0,80}\bfuera de (la )?oficina\b.{0,120}\b(hasta|vuelvo|regreso)\b/,
  /^.{0,80}\bfuori (sede|ufficio)\b.{0,120}\b(fino|rientro|torno)\b/,
];

/**
 * Whether a program wrote a message: RFC 3834's header fields, those that older programs set, the subject, or what it says of itself.
 * @returns null: a person may have written it
 */
export function readAutoReply(message: { headers: MailHeaders; subject: string | null; text: string | null }): AutoReplySign | null {
  if (isAutomaticByHeader(message.headers)) return 'header';
  const subject = message.subject === null ? '' : foldWords(message.subject);
  if (
    subject !== '' &&
    subjects.some((known) => subject === known || subject.startsWith(`${known} `) || (isLogographic(known) && subject.startsWith(known)))
  )
    return 'subject';
  const text = message.text === null ? '' : foldWords(message.text.slice(0, 600));
  return texts.some((known) => known.test(text)) ? 'text' : null;
}

/** Written without spaces between words. */
const isLogographic = (text: string) => /[\u3040-\u30ff\u3400-\u9fff]/.test(text);

function isAutomaticByHeader(headers: MailHeaders): boolean {
  const of = (name: string) => headers[name]?.trim().toLowerCase() ?? null;
  // RFC 3834, section 5: every keyword but `no` says that no person wrote it; parameters may follow.
  const submitted = [of('auto-submitted'), of('x-auto-submitted')].map((value) => value?.split(';')[0]?.trim() ?? null);
  if (submitted.some((value) => value !== null && value !== '' && value !== 'no')) return true;
  if ([of('precedence'), of('x-precedence')].some((value) => value !== null && ['auto_reply', 'auto-reply', 'bulk', 'junk', 'list'].includes(value)))
    return true;
  // A reply of a mail server itself: it has no address that could be answered (RFC 5321, section 4.5.5).
  if (of('return-path') === '<>') return true;
  if (/^multipart\/report\b/.test(of('content-type') ?? '')) return true;
  const said = ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-mail-autoreply', 'x-vacation'].map(of);
  return said.some((value) => value !== null && value !== '' && value !== 'no' && value !== 'false');
}
