import { foldWords } from './fold-words.ts';

/** What a message that is only a keyword asks for. */
export type Keyword = 'opt_out' | 'stop_all' | 'opt_in' | 'help';

// FCC 47 CFR 64.1200(a)(10), the carriers' common list, and the keywords that Twilio acts on by default.
const common = ['stop', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'opt out', 'remove', 'arret'];

/** What people write instead, by language. A word that also answers a question, such as `no`, is not a keyword. */
const ofLanguages: Readonly<Record<string, readonly string[]>> = {
  en: [
    'stop it',
    'stop texting',
    'stop texting me',
    'stop emailing me',
    'stop messaging me',
    'remove me',
    'unsubscribe me',
    'opt me out',
    'no more messages',
    'no more',
    'stop now',
    'stop please now',
    'stop everything',
    'unsub',
    'unsubscribe now',
    'stop promotions',
  ],
  de: ['stopp', 'abmelden', 'abmeldung', 'abbestellen', 'austragen', 'beenden', 'widerruf', 'keine werbung'],
  fr: ['arrete', 'arrett', 'arreter', 'arretez', 'desabonner', 'desabonnement', 'desinscrire', 'desinscription', 'stop pub', 'fin', 'resilier'],
  es: ['baja', 'darme de baja', 'parar', 'cancelar', 'alto', 'salir', 'fin', 'no mas'],
  it: ['basta', 'ferma', 'disiscrivimi', 'disiscrizione', 'cancellami', 'annulla iscrizione', 'annulla', 'cancella'],
  pt: ['pare', 'sair', 'cancelar', 'parar', 'descadastrar', 'cancelar inscricao', 'remover'],
  nl: ['stoppen', 'afmelden', 'uitschrijven'],
  pl: ['wypisz', 'rezygnuje', 'anuluj'],
  cs: ['odhlasit', 'odhlaste', 'zrusit'],
  sv: ['stoppa', 'avsluta', 'avregistrera', 'avanmal'],
  da: ['afmeld', 'stop sms'],
  no: ['stopp sms', 'avmeld', 'meld av'],
  fi: ['lopeta', 'peruuta', 'peru tilaus'],
  hu: ['leiratkozas', 'leiratkozom'],
  ro: ['dezabonare', 'dezaboneaza'],
  tr: ['dur', 'iptal', 'abonelikten cik'],
  ru: ['стоп', 'отписаться', 'отписка', 'отпишите меня'],
  uk: ['відписатися', 'відписка'],
  el: ['στοπ', 'διαγραφη'],
  he: ['הסר', 'הסירו אותי'],
  ar: ['توقف', 'إيقاف', 'أوقف', 'إلغاء', 'إلغاء الاشتراك', 'الغاء'],
  fa: ['لغو', 'لغو 11', 'لغو ۱۱', 'توقف', 'لغو اشتراک', 'لغو عضویت', 'انصراف', 'پیام نفرستید', 'دیگر پیام ندهید'],
  ja: ['停止', '配信停止', '配信停止希望', '解除'],
  zh: ['退订', '退訂', '取消订阅', '取消訂閱', '停止', 'td'],
  vi: ['hủy', 'huỷ', 'từ chối', 'ngừng', 'hủy đăng ký'],
  id: ['berhenti', 'batal', 'unreg'],
  hi: ['रोकें', 'बंद करें', 'बंद करो'],
  th: ['หยุด', 'ยกเลิก'],
  ko: ['중지', '수신거부', '수신 거부'],
};

// Not `yes`, which some providers treat as an opt-in: it is more often the answer to a question.
const meanings: readonly [Keyword, readonly string[]][] = [
  ['stop_all', ['stop all']],
  ['opt_out', [...common, ...Object.values(ofLanguages).flat()]],
  ['opt_in', ['start', 'unstop']],
  ['help', ['help', 'info']],
];

// Spaces do not matter: `OPT OUT` and `OPTOUT`, `S T O P`.
const compact = (text: string) => foldWords(text).replaceAll(' ', '');
const keywords: ReadonlyMap<string, Keyword> = new Map(meanings.flatMap(([meaning, words]) => words.map((word) => [compact(word), meaning])));

/** Said around a keyword without changing it. */
const courtesies = new Set(
  [
    'please',
    'pls',
    'thanks',
    'thank you',
    'bitte',
    'danke',
    'svp',
    's il vous plait',
    'merci',
    'por favor',
    'gracias',
    'per favore',
    'grazie',
    'obrigado',
    'obrigada',
    'alsjeblieft',
  ].map(compact),
);

/**
 * Read a keyword: trimmed, case-folded, punctuation and accents stripped; the whole message must be the keyword, but for a `please` or `thanks` before or
 * after it and its repetition.
 * @returns null for an ordinary message
 */
export function readKeyword(text: string): Keyword | null {
  // A keyword is a word or two; a longer text is a message of its own.
  if (text.length > 200) return null;
  const words = foldWords(text).split(' ');
  const known = keywords.get(words.join(''));
  if (known !== undefined) return known;
  const bare = withoutCourtesy(words);
  const whole = keywords.get(bare.join(''));
  if (whole !== undefined) return whole;
  const [first = ''] = bare;
  return bare.every((word) => word === first) ? (keywords.get(first) ?? null) : null;
}

/** Without the courtesies at either end, which may be four words. */
function withoutCourtesy(words: readonly string[]): string[] {
  let rest = [...words];
  for (let left = 4; left > 0; ) {
    const starts = rest.length > left && courtesies.has(rest.slice(0, left).join(''));
    const ends = rest.length > left && courtesies.has(rest.slice(-left).join(''));
    if (starts) rest = rest.slice(left);
    else if (ends) rest = rest.slice(0, -left);
    else left -= 1;
  }
  return rest;
}
