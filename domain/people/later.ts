import { foldWords } from './fold-words.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The longest that a word of this kind may mean. */
const mostMs = 90 * dayMs;

/** A language's phrases for a later time, and the words that may stand around one. All folded. */
interface Language {
  /** Phrase → how much later. */
  phrases: Readonly<Record<string, number>>;
  /** "in 2 weeks": a number, and one of the units. */
  in: RegExp;
  units: readonly [RegExp, number][];
  /** What a request to be contacted is made of. Any other word makes the message an ordinary reply. */
  around: string;
}

const n = '(\\d{1,2}|an?|one|two|three)';
const units = (hour: RegExp, day: RegExp, week: RegExp, month: RegExp): Language['units'] => [
  [hour, hourMs],
  [day, dayMs],
  [week, 7 * dayMs],
  [month, 30 * dayMs],
];

const languages: readonly Language[] = [
  {
    phrases: {
      'later today': 4 * hourMs,
      'not right now': dayMs,
      'some other time': dayMs,
      'another time': dayMs,
      'not now': dayMs,
      tomorrow: dayMs,
      later: dayMs,
      'in a few days': 3 * dayMs,
      'next week': 7 * dayMs,
      'in a few weeks': 21 * dayMs,
      'next month': 30 * dayMs,
    },
    in: new RegExp(`\\bin ${n} (hours?|days?|weeks?|months?)\\b`),
    units: units(/^hour/, /^day/, /^week/, /^month/),
    around:
      'call text write email mail message contact remind ask try ring phone me us back again please pls can could would you thanks thank ok okay hi hello hey maybe',
  },
  {
    phrases: {
      ubermorgen: 2 * dayMs,
      morgen: dayMs,
      spater: dayMs,
      'nicht jetzt': dayMs,
      'jetzt nicht': dayMs,
      'ein andermal': dayMs,
      'in ein paar tagen': 3 * dayMs,
      'nachste woche': 7 * dayMs,
      'kommende woche': 7 * dayMs,
      'nachsten monat': 30 * dayMs,
    },
    in: /\bin (\d{1,2}|einer|einem|zwei|drei) (stunden?|tag(?:en?)?|wochen?|monat(?:en?)?)\b/,
    units: units(/^stunde/, /^tag/, /^woche/, /^monat/),
    around:
      'bitte ruf rufe rufen rufst sie du mich mir uns an zuruck noch mal nochmal wieder erneut schreib schreibe schreiben melde melden dich sich kontaktieren erinnere erinnern konnen konnten danke ok okay hallo gern gerne vielleicht',
  },
  {
    phrases: {
      'apres demain': 2 * dayMs,
      demain: dayMs,
      'plus tard': dayMs,
      'pas maintenant': dayMs,
      'dans quelques jours': 3 * dayMs,
      'la semaine prochaine': 7 * dayMs,
      'semaine prochaine': 7 * dayMs,
      'le mois prochain': 30 * dayMs,
    },
    in: /\bdans (\d{1,2}|une?|deux|trois) (heures?|jours?|semaines?|mois)\b/,
    units: units(/^heure/, /^jour/, /^semaine/, /^mois/),
    around:
      'rappelez rappelle appelez moi me nous svp s il vous te plait pouvez rappeler ecrivez ecrire contactez contacter encore merci ok bonjour peut etre',
  },
  {
    phrases: {
      'pasado manana': 2 * dayMs,
      manana: dayMs,
      'mas tarde': dayMs,
      luego: dayMs,
      'ahora no': dayMs,
      'en unos dias': 3 * dayMs,
      'la proxima semana': 7 * dayMs,
      'proxima semana': 7 * dayMs,
      'la semana que viene': 7 * dayMs,
      'el proximo mes': 30 * dayMs,
      'el mes que viene': 30 * dayMs,
    },
    in: /\b(?:en|dentro de) (\d{1,2}|una?|dos|tres) (horas?|dias?|semanas?|mes(?:es)?)\b/,
    units: units(/^hora/, /^dia/, /^semana/, /^mes/),
    around:
      'llamame llameme llamen llame llamar me escribeme escribame escriba contacteme contactame por favor puede pueden otra vez de nuevo gracias ok hola quiza quizas',
  },
  {
    phrases: {
      dopodomani: 2 * dayMs,
      domani: dayMs,
      'piu tardi': dayMs,
      'non ora': dayMs,
      'non adesso': dayMs,
      'la prossima settimana': 7 * dayMs,
      'settimana prossima': 7 * dayMs,
      'il prossimo mese': 30 * dayMs,
      'il mese prossimo': 30 * dayMs,
    },
    in: /\b(?:tra|fra) (\d{1,2}|una?|due|tre) (or[ae]|giorn[oi]|settiman[ae]|mes[ei])\b/,
    units: units(/^or/, /^giorn/, /^settiman/, /^mes/),
    around:
      'richiamami chiamami chiamatemi richiamatemi scrivimi scrivetemi contattatemi per favore mi puo potete di nuovo ancora grazie ok ciao forse',
  },
  {
    phrases: {
      'depois de amanha': 2 * dayMs,
      amanha: dayMs,
      'mais tarde': dayMs,
      'agora nao': dayMs,
      'na proxima semana': 7 * dayMs,
      'proxima semana': 7 * dayMs,
      'semana que vem': 7 * dayMs,
      'no proximo mes': 30 * dayMs,
      'mes que vem': 30 * dayMs,
    },
    in: /\b(?:em|daqui a) (\d{1,2}|uma?|dois|duas|tres) (horas?|dias?|semanas?|mes(?:es)?)\b/,
    units: units(/^hora/, /^dia/, /^semana/, /^mes/),
    around: 'me ligue liga ligar escreva contacte contate por favor pode podem de novo novamente obrigado obrigada ok ola talvez',
  },
  {
    phrases: {
      overmorgen: 2 * dayMs,
      morgen: dayMs,
      later: dayMs,
      'niet nu': dayMs,
      'nu niet': dayMs,
      'volgende week': 7 * dayMs,
      'volgende maand': 30 * dayMs,
    },
    in: /\bover (\d{1,2}|een|twee|drie) (uur|uren|dag(?:en)?|week|weken|maand(?:en)?)\b/,
    units: units(/^u(?:ur|ren)/, /^dag/, /^we/, /^maand/),
    around: 'bel bellen mij me ons terug schrijf contacteer alstublieft alsjeblieft aub kunt kan u je nog eens opnieuw bedankt ok hallo misschien',
  },
];

const numbers: Readonly<Record<string, number>> = {
  two: 2,
  zwei: 2,
  deux: 2,
  dos: 2,
  due: 2,
  dois: 2,
  duas: 2,
  twee: 2,
  three: 3,
  drei: 3,
  trois: 3,
  tres: 3,
  tre: 3,
  drie: 3,
};

/** German and Dutch: by itself, the word for tomorrow is good morning. */
const greeting = /^(?:(?:hallo|hi|hey|moin|ja) )*morgen$/;

/**
 * Whether a message only asks to be contacted later, and how much later. Small and conservative on purpose: the phrase for the time, and nothing around it
 * but what such a request is made of. Whoever writes anything else has replied, and a reply stops.
 * @returns milliseconds from the message on; null: an ordinary reply
 * Source: docs/rules.md#rule-20
 */
export function readLater(text: string): number | null {
  if (text.length > 200) return null;
  const words = foldWords(text);
  if (greeting.test(words)) return null;
  for (const language of languages) {
    const found = find(language, words);
    if (found === null) continue;
    const around = new Set(language.around.split(' '));
    const rest = found.rest.split(' ').filter((word) => word !== '');
    if (found.ms > 0 && found.ms <= mostMs && rest.length <= 8 && rest.every((word) => around.has(word))) return found.ms;
  }
  return null;
}

/** The phrase for a later time, and what is left without it. */
function find({ phrases, in: within, units: spans }: Language, words: string): { ms: number; rest: string } | null {
  const counted = within.exec(words);
  const span = spans.find(([unit]) => unit.test(counted?.[2] ?? ''))?.[1];
  if (counted !== null && span !== undefined) {
    const number = counted[1] ?? '';
    const count = /^\d+$/.test(number) ? Number(number) : (numbers[number] ?? 1);
    return { ms: count * span, rest: words.replace(counted[0], ' ') };
  }
  // The longest first: "later today" is not "later".
  const phrase = Object.keys(phrases)
    .toSorted((a, b) => b.length - a.length)
    .find((known) => ` ${words} `.includes(` ${known} `));
  return phrase === undefined ? null : { ms: phrases[phrase] ?? 0, rest: ` ${words} `.replace(` ${phrase} `, '  ') };
}
