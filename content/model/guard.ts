import { asciiDigits } from '../../domain/ascii-digits.ts';
import { hasWebAddress, namesLikeAddresses, withoutNames } from '../../domain/contact-in-text.ts';
import type { Guard } from '../../domain/composition/outcome.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import { countSegments, plainPunctuation } from '../channels/sms/segments.ts';
import type { Brief, ClaimName } from './brief.ts';
import type { FactValue, ModelFacts } from './facts.ts';
import type { BrandRules } from './prompt.ts';
import { checkedLanguages, stopWords, type Topic, topicPattern } from './vocabulary.ts';

/** What a text breaks, in words that a model can act on. No personal data. */
export interface GuardFault {
  guard: Guard;
  detail: string;
}

export interface GuardInput {
  words: WrittenWords;
  facts: ModelFacts;
  brief: Brief;
  brand: BrandRules;
  /** What must not appear in it and was not given to the model, such as the person's surname. */
  secrets: readonly string[];
}

/** Texts are cut into these by sentence ends and line breaks. */
const sentences = (text: string): string[] => text.split(/(?<=[.!?؟。…])\s+|\n+/u).filter((sentence) => sentence.trim() !== '');

/** The invisible, but for the joiners that Persian and Arabic are written with. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/u;

/** One spelling for what is written in several: compatibility forms, digits, apostrophes. */
const normalised = (text: string): string =>
  asciiDigits(text.normalize('NFKC'))
    .replace(/['`´‘ʼ＇]/gu, '’')
    .replace(/[\u00a0\u202f\u2009]/gu, ' ');

/**
 * Judge a model's text against the facts that it was given. Pure and strict: what cannot be shown to be true is a fault, because a template is always
 * there to go out instead.
 * @returns every fault found; empty: the text may go out
 * Source: docs/models.md, "Guardrails"
 */
export function judgeWords(input: GuardInput): GuardFault[] {
  const { words, facts } = input;
  if (!checkedLanguages.includes(facts.language)) return [{ guard: 'language', detail: `texts in ${facts.language} cannot be checked` }];
  const whole = [words.subject, words.body, words.cta].join('\n');
  const raw = [...shapeFaults(input), ...markupFaults(whole, facts.language)];
  const text = normalised(whole);
  const known = knowledgeOf(facts);
  const own = withoutPhrases(text, known.phrases);
  return unique([
    ...raw,
    ...linkFaults(text, known.named),
    ...personFaults(text, input),
    ...wordFaults(text, input),
    ...languageFaults(own, facts.language),
    ...sentences(own).flatMap((sentence) => sentenceFaults(sentence, facts, known)),
    ...codeFaults(own, known),
    ...nameFaults(own, facts.language, known),
  ]);
}

function unique(faults: GuardFault[]): GuardFault[] {
  return faults.filter((fault, at) => faults.findIndex((other) => other.guard === fault.guard && other.detail === fault.detail) === at);
}

function shapeFaults({ words: { subject, body, cta }, facts, brief }: GuardInput): GuardFault[] {
  const faults: GuardFault[] = [];
  const isText = facts.channel === 'sms';
  const shape = (detail: string) => faults.push({ guard: 'shape', detail });
  const length = (detail: string) => faults.push({ guard: 'length', detail });
  if (body === '') shape('the body is empty');
  if (isText) {
    if (countSegments(plainPunctuation(body)).segments > 2) length('the text message is too long');
    return faults;
  }
  if (subject === '') shape('the subject is empty');
  if (cta === '') shape('the call to action is empty');
  if (/[\r\n]/.test(subject) || /[\r\n]/.test(cta)) shape('subject and call to action are one line each');
  if (subject.length > 90) length('the subject is longer than 90 characters');
  if (cta.length > 40) length('the call to action is longer than 40 characters');
  const count = body.split(/\s+/).length;
  if (count > brief.length * 1.25) length(`the body has ${count} words, at most ${brief.length} are asked for`);
  if (count < 5) length('the body has fewer than 5 words');
  return faults;
}

function markupFaults(text: string, language: string): GuardFault[] {
  const joined = language === 'fa' || language === 'ar' ? text.replace(/\u200c|\u200d|\u200f/g, '') : text;
  // Emoji are joined by these two.
  const visible = joined.replace(/[\n\r]|\p{Extended_Pictographic}\ufe0f?(?:\u200d\p{Extended_Pictographic}\ufe0f?)*/gu, '');
  const found: [RegExp, string, string][] = [
    [/<\/?[a-z!]/i, text, 'HTML'],
    [/&(?:[a-z]+|#\w+);/i, text, 'HTML'],
    [/\{\{|\{%|\}\}|%\}|\$\{/, text, 'the syntax of templates'],
    [/\]\s*\(|```|\*\*|__|^\s*#{1,6}\s|^\s*>|^\s*\|/m, text, 'Markdown'],
    [/\[[^\]]*\]/, text, 'square brackets'],
    [/[{}<>\\|]/, text, 'brackets of a program'],
    [invisible, visible, 'invisible characters'],
    // More of these on one letter reach into the lines above and below.
    [/\p{M}{4,}/u, text, 'stacked marks'],
  ];
  return found.filter(([pattern, where]) => pattern.test(where)).map(([, , what]) => ({ guard: 'markup', detail: `it contains ${what}` }));
}

const linkLike = /\w:\/\/|(?<!\p{L})(?:https?|hxxps?|ftp|mailto|tel|javascript|data|sms):|\S\/\S*\/|(?<![\p{L}\p{N}.])@[\p{L}\p{N}_]{3,}/iu;

/** @param named - what the store calls itself and its products that looks like an address: `Northwind.com`, `Node.js course` */
function linkFaults(text: string, named: readonly string[]): GuardFault[] {
  const others = withoutNames(text, named);
  const isLink = hasWebAddress(others) || linkLike.test(others);
  return isLink ? [{ guard: 'link', detail: 'it contains an address; the button and the link are added by themselves' }] : [];
}

const spokenDigit = '(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun)';
const spokenNumber = new RegExp(`(?<!\\p{L})${spokenDigit}(?:[\\s,-]+${spokenDigit}){3,}(?!\\p{L})`, 'iu');

function personFaults(text: string, { secrets, facts }: GuardInput): GuardFault[] {
  const faults: GuardFault[] = [];
  if (/[^\s@]+\s?(?:@|\(at\)|\[at\])\s?[^\s@]+\.\p{L}/iu.test(text)) faults.push({ guard: 'personal_data', detail: 'it contains an email address' });
  if (spokenNumber.test(text)) faults.push({ guard: 'personal_data', detail: 'it contains a telephone number in words' });
  if (topicPattern('secrets', facts.language).test(text))
    faults.push({ guard: 'personal_data', detail: 'it asks for what nobody should write: a password, a card, an account' });
  if (/\+\d[\d\s().-]{6,}|(?<![\d.,])\d[\d\s().-]{7,}\d(?![.,]\d)/u.test(text))
    faults.push({ guard: 'personal_data', detail: 'it contains a telephone number' });
  const known = knowledgeOf(facts).vocabulary;
  const leaked = secrets
    .flatMap((secret) => normalised(secret).toLowerCase().split(/\s+/))
    .filter((secret) => secret.length >= 2 && !known.has(secret))
    .some((secret) => hasWord(text, secret));
  return leaked ? [...faults, { guard: 'personal_data', detail: 'it contains what it was not told about the person' }] : faults;
}

function wordFaults(text: string, { brief, brand }: GuardInput): GuardFault[] {
  const banned = [...brand.banned, ...brief.banned].filter((word) => hasWord(text, word));
  const missing = [...brand.required, ...brief.required].filter((word) => !hasWord(text, word));
  return [
    ...banned.map((word): GuardFault => ({ guard: 'banned_word', detail: `it contains “${word}”` })),
    ...missing.map((word): GuardFault => ({ guard: 'required_word', detail: `it lacks “${word}”` })),
  ];
}

/** Whole words, whatever their case; between letters and digits nothing is a word of its own. */
function hasWord(text: string, word: string): boolean {
  const wanted = normalised(word).toLowerCase().trim();
  const escaped = wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
  return wanted !== '' && new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'u').test(text.toLowerCase());
}

const scripts: Readonly<Record<string, RegExp>> = {
  ru: /\p{Script=Cyrillic}/u,
  ar: /\p{Script=Arabic}/u,
  fa: /\p{Script=Arabic}/u,
};
const latin = /\p{Script=Latin}/u;

function languageFaults(text: string, language: string): GuardFault[] {
  const fault = (detail: string): GuardFault[] => [{ guard: 'language', detail }];
  const script = scripts[language] ?? latin;
  const letters = text.replaceAll(mark, '').match(/\p{L}/gu) ?? [];
  const others = letters.filter((c) => !script.test(c));
  // Names of products stay in their own script; the rest of a sentence does not.
  if (others.some((c) => !latin.test(c))) return fault(`it is written in another script than ${language} is`);
  if (letters.length > 0 && others.length / letters.length > 0.3) return fault(`it is not in ${language}`);
  const words = text.toLowerCase().match(/[\p{L}\p{M}\u200c’]+/gu) ?? [];
  if (words.some((word) => latin.test(word) && /\p{Script=Cyrillic}|\p{Script=Greek}/u.test(word))) return fault('it mixes scripts within a word');
  if (language === 'fa' || language === 'ar') return persianOrArabic(text, language) ? [] : fault(`it is not in ${language}`);
  const own = stopWords[language];
  if (own === undefined) return [];
  const hits = (list: ReadonlySet<string>) => words.filter((word) => list.has(word)).length;
  const best = Math.max(...Object.values(stopWords).map(hits));
  return hits(own) < best || (words.length >= 10 && hits(own) < words.length / 12) ? fault(`it is not in ${language}`) : [];
}

/** Letters and short words that one of the two has and the other has not. */
function persianOrArabic(text: string, language: string): boolean {
  const persian = (text.match(/[پچژگکی]|(?<!\p{L})(?:است|را|که|شما|برای|با|به|از|این)(?!\p{L})/gu) ?? []).length;
  const arabic = (text.match(/[ةىيكأإ]|(?<!\p{L})(?:في|من|على|إلى|هذا|هذه|لا|ما)(?!\p{L})/gu) ?? []).length;
  return language === 'fa' ? persian >= arabic : arabic >= persian;
}

/** What a text may speak of, drawn from the facts. */
interface Knowledge {
  /** Names and sentences that may stand in the text as they are: they are left out before its own words are judged. */
  phrases: string[];
  /** Those of the store, and not of people, that look like an address and are none in its texts. */
  named: string[];
  /** Every word of them, lower case. */
  vocabulary: ReadonlySet<string>;
  prices: ReadonlySet<number>;
  numbers: ReadonlySet<number>;
  /** By claim, the numbers that a sentence about it may contain. */
  claims: ReadonlyMap<ClaimName, ReadonlySet<number>>;
}

const priceNames = new Set(['total', 'price', 'unitPrice', 'compareAt', 'value', 'before', 'now', 'saved']);
const countNames = new Set(['count', 'moreCount', 'otherCount', 'quantity']);
const productNames = new Set(['title', 'leadTitle', 'productTitle']);
const titleNames = new Set([...productNames, 'variant', 'interest']);

/** Stands for a phrase of the facts. No letter, no digit, no space. */
const mark = '\ufffc';

const remembered = new WeakMap<ModelFacts, Knowledge>();

function knowledgeOf(facts: ModelFacts): Knowledge {
  const before = remembered.get(facts);
  if (before !== undefined) return before;
  const titles: string[] = [];
  const products = new Set<string>();
  const prices = new Set<number>();
  const numbers = new Set<number>();
  visit(facts.subject, '', (name, value) => {
    if (titleNames.has(name) && typeof value === 'string') titles.push(value);
    if (productNames.has(name) && typeof value === 'string') products.add(nameOf(value));
    if (priceNames.has(name)) for (const number of numbersIn(String(value))) prices.add(number.value);
    if (countNames.has(name)) for (const number of numbersIn(String(value))) numbers.add(number.value);
  });
  const claims = new Map<ClaimName, Set<number>>();
  for (const [claim, value] of Object.entries(facts.claims) as [ClaimName, FactValue][]) {
    const own = new Set<number>(claim === 'reviews' ? [5] : []);
    visit(value, '', (name, inner) => {
      if (priceNames.has(name)) for (const number of numbersIn(String(inner))) prices.add(number.value);
      else if (!titleNames.has(name)) for (const number of numbersIn(String(inner))) own.add(number.value);
    });
    claims.set(claim, own);
  }
  const trusted = [facts.storeName, ...['shipping', 'returns'].map((claim) => facts.claims[claim as ClaimName])].filter((v) => typeof v === 'string');
  const quoted =
    typeof facts.claims.reviews === 'object' && facts.claims.reviews !== null && !Array.isArray(facts.claims.reviews) ? facts.claims.reviews : {};
  const quotes = [quoted['quote'], quoted['author']].filter((v) => typeof v === 'string');
  const names = [...titles, ...quotes, facts.firstName ?? ''].map(nameOf);
  const plain = names.filter((name) => isPlainName(name, facts.language, products.has(name)));
  const named = [...trusted, ...plain.filter((name) => products.has(name))]
    .filter((name) => hasWebAddress(name) || linkLike.test(name))
    .flatMap((name) => [name, ...namesLikeAddresses(name)]);
  const phrases = [...trusted, ...plain].map(normalised).filter((phrase) => /\p{L}{2}/u.test(phrase));
  const vocabulary = new Set(phrases.flatMap((phrase) => phrase.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []));
  const made = { phrases: phrases.toSorted((a, b) => b.length - a.length), named, vocabulary, prices, numbers, claims };
  remembered.set(facts, made);
  return made;
}

function visit(value: FactValue, name: string, each: (name: string, value: string | number | boolean) => void): void {
  if (Array.isArray(value)) for (const inner of value) visit(inner, name, each);
  else if (typeof value === 'object' && value !== null) for (const [inner, found] of Object.entries(value)) visit(found, inner, each);
  else if (value !== null) each(name, value);
}

/** What was cut off a name may have ended the address that is left: of `Booking.com` it would leave `Booking.co`. */
function nameOf(title: string): string {
  const cut = title.replace(/…$/, '');
  return (cut === title || !/\.\S*$/.test(cut) ? cut : cut.replace(/\S*$/, '')).trim();
}

/** A name that says nothing which a text must not say. Others are judged like the model's own words wherever they appear. */
function isPlainName(name: string, language: string, isProduct: boolean): boolean {
  const text = normalised(name);
  const topics: Topic[] = ['stock', 'price_drop', 'reviews', 'shipping', 'returns', 'deadline', 'discount', 'instructions', 'secrets'];
  return (
    name.length <= 120 &&
    !invisible.test(name.replace(/\u200c|\u200d/g, '')) &&
    !/[{}<>\\|[\]`]/.test(text) &&
    linkFaults(text, isProduct ? [name] : []).length === 0 &&
    !linkLike.test(text) &&
    !moneyIn(text).length &&
    !/[%٪@]/.test(text) &&
    topics.every((topic) => !topicPattern(topic, language).test(text))
  );
}

function withoutPhrases(text: string, phrases: readonly string[]): string {
  let rest = text;
  for (const phrase of phrases) {
    const escaped = phrase.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
    rest = rest.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'giu'), mark);
  }
  return rest;
}

interface NumberAt {
  value: number;
  index: number;
  length: number;
}

/** Numbers in ASCII digits, with separators of thousands and decimals as any language writes them. */
function numbersIn(text: string): NumberAt[] {
  return [...normalised(text).matchAll(/\d+(?:[.,’٫٬ ]\d{3}(?!\d))*(?:[.,٫]\d{1,2}(?!\d))?|\d+(?:[.,٫]\d+)?/gu)].map((match) => {
    const decimals = /[.,٫](\d{1,2})$/.exec(match[0])?.[1];
    const digits = match[0].replace(/\D/g, '');
    const value = decimals === undefined ? Number(digits) : Number(digits) / 10 ** decimals.length;
    return { value, index: match.index, length: match[0].length };
  });
}

const currency =
  '(?:\\p{Sc}|(?<!\\p{L})(?:usd|eur|gbp|chf|rub|irr|aed|sar|cad|aud|jpy|cny|inr|try|pln|sek|nok|dkk|dollars?|bucks?|euros?|pounds?|cents?|rubles?|roubles?|dólares|руб(?:\\.|лей|ля|ль)?|р\\.|تومان|ریال|ريال|درهم|دولار|يورو|دلار|یورو|د\\.إ|ر\\.س)(?!\\p{L}))';
const moneyBefore = new RegExp(`${currency}[\\s\\u2066-\\u2069]*$`, 'iu');
const moneyAfter = new RegExp(`^[\\s\\u2066-\\u2069]*(?:${currency}|,-|.-(?=\\s|$))`, 'iu');

/** The numbers that stand beside a currency. */
function moneyIn(text: string): NumberAt[] {
  return numbersIn(text).filter(({ index, length }) => moneyBefore.test(text.slice(0, index)) || moneyAfter.test(text.slice(index + length)));
}

const claimTopics: readonly ClaimName[] = ['stock', 'price_drop', 'reviews', 'shipping', 'returns'];
/** The store's own sentences, which were left out before: what a model adds to them in its own words no fact supports. */
const wordForWord: ReadonlySet<ClaimName> = new Set(['shipping', 'returns']);
const numberWords =
  /(?<!\p{L})(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|ninety|dozen|hundred|thousand|million|half|double|zwei|drei|vier|fünf|zehn|hundert|tausend|deux|trois|quatre|cinq|dix|cent|mille|dos|tres|cuatro|cinco|diez|cien|mil|два|две|три|четыре|пять|десять|сто|тысяч\p{L}*)(?!\p{L})/iu;

/** Everything that one sentence states: its claims, and that each number in it is one of the facts for that claim. */
function sentenceFaults(sentence: string, facts: ModelFacts, known: Knowledge): GuardFault[] {
  const faults: GuardFault[] = [];
  const says = (topic: Topic) => topicPattern(topic, facts.language).test(sentence);
  if (says('deadline')) faults.push({ guard: 'urgency', detail: `it names a deadline: ${shown(sentence)}` });
  if (says('discount') || /[%٪]/.test(sentence))
    faults.push({ guard: 'discount', detail: `it speaks of a discount, a code or a gift: ${shown(sentence)}` });
  if (says('instructions')) faults.push({ guard: 'instructions', detail: `it speaks of its instructions: ${shown(sentence)}` });
  const claimed = claimTopics.filter(says);
  for (const claim of claimed) {
    if (wordForWord.has(claim) && known.claims.has(claim)) {
      faults.push({ guard: 'claim', detail: `it speaks of ${claim} in other words than the store's own: ${shown(sentence)}` });
      continue;
    }
    if (known.claims.has(claim)) continue;
    faults.push({ guard: claim === 'stock' ? 'urgency' : 'claim', detail: `it claims ${claim} without a fact that may be used: ${shown(sentence)}` });
  }
  const numbers = numbersIn(sentence);
  const money = new Set(moneyIn(sentence).map(({ index }) => index));
  for (const { value, index } of numbers) {
    if (money.has(index)) {
      if (!known.prices.has(value)) faults.push({ guard: 'price', detail: `no fact has the price ${value}` });
      continue;
    }
    const allowed =
      claimed.length === 0 ? known.numbers.has(value) || known.prices.has(value) : claimed.some((c) => known.claims.get(c)?.has(value) === true);
    if (!allowed) faults.push({ guard: 'number', detail: `no fact for this sentence has the number ${value}` });
  }
  // A phrase of the facts beside a currency is no price.
  if (new RegExp(`${currency}\\s*${mark}|${mark}\\s*${currency}`, 'iu').test(sentence))
    faults.push({ guard: 'price', detail: 'a name stands where a price would' });
  if (numberWords.test(sentence) && (claimed.length > 0 || new RegExp(currency, 'iu').test(sentence)))
    faults.push({ guard: 'number', detail: `it claims a number in words: ${shown(sentence)}` });
  return faults;
}

const shown = (sentence: string) => `“${sentence.trim().replaceAll(mark, '…').slice(0, 80)}”`;

function codeFaults(text: string, { vocabulary }: Knowledge): GuardFault[] {
  const tokens = text.match(/[\p{L}\p{N}][\p{L}\p{N}_-]*/gu) ?? [];
  const codes = tokens.filter((token) => {
    if (vocabulary.has(token.toLowerCase())) return false;
    const mixed = /\p{L}/u.test(token) && /\p{N}/u.test(token) && token.length >= 4;
    const shouted = /^[\p{Lu}\p{N}_-]{4,}$/u.test(token) && /\p{Lu}{2}/u.test(token);
    return mixed || shouted;
  });
  return codes.map((code) => ({ guard: 'code', detail: `it contains “${code.slice(0, 30)}”, which looks like a code` }));
}

/** Capitalised within a sentence in any store's text. */
const usual = new Set(['i', 'i’m', 'i’ll', 'i’d', 'i’ve', 'ok', 'sms', 'faq', 'hi', 'hello', 'dear', 'ps']);

/** Proper names that no fact knows. German capitalises every noun, so there only what is in quotation marks, or has a capital inside, is a name. */
function nameFaults(text: string, language: string, { vocabulary }: Knowledge): GuardFault[] {
  const isKnown = (word: string) => {
    const lower = word.toLowerCase().replace(/’s?$/u, '');
    return usual.has(word.toLowerCase()) || vocabulary.has(lower);
  };
  const quoted = [...text.matchAll(/[“"„«]([^“”"„«»\n]{2,80})[”"“»]/gu)].map(([, inside = '']) => inside);
  const strangers = quoted.flatMap((inside) => inside.match(/\p{L}[\p{L}’-]*/gu) ?? []).filter((word) => !isKnown(word));
  const lines = language === 'ar' || language === 'fa' ? [] : sentences(text);
  const names = lines.flatMap((sentence) => {
    const words = [...sentence.matchAll(/\p{L}[\p{L}’-]*/gu)];
    return words
      .filter(({ 0: word, index }, at) => {
        if (isKnown(word)) return false;
        if (language === 'de') return /\p{Ll}\p{Lu}/u.test(word);
        // A colon, a dash or a quotation mark begins something new.
        const begins = at === 0 || /[:–—“"„«(\ufffc!?.]\s*$/u.test(sentence.slice(0, index));
        return /^\p{Lu}/u.test(word) && !begins;
      })
      .map(([word]) => word);
  });
  return [...new Set([...strangers, ...names])].map((name) => ({ guard: 'name', detail: `no fact knows “${name.slice(0, 30)}”` }));
}
