import { foldWords } from './fold-words.ts';

/** What a sentence says that asks not to be written to again, by language; folded. They may stand anywhere in a message. */
const requests: readonly RegExp[] = [
  // English. Not "why do you never call me" and "did you stop sending it", which ask for more.
  /(?<!(?<!\b(?:tell|told|telling|asked|ask) )(?:you|they|nobody) )\b(?:do not|dont|never|please no|no need to) (?:ever |you )?(?:call|text|email|e mail|mail|message|contact|write|write to|reach out to|bother|spam) (?:me|us|this number|this address)\b/,
  /\b(?:do not|dont) (?:send|keep sending) (?:me|us) (?:any ?more|any|more|these|this|your|such)\b/,
  /(?<!\b(?:did|have|had|do|why) (?:you|they) )\b(?:stop|quit|cease) (?:calling|texting|emailing|e mailing|mailing|messaging|contacting|writing|writing to|bothering|spamming|harassing|sending)\b/,
  /\bstop (?:all |these |this |your |the |with )*(?:calls|texts|emails|e mails|mails|messages|msgs?|sms|spam|ads|advertising|promotions|promos|offers|marketing)\b/,
  /\bno more (?:of (?:these|your) )?(?:calls|texts|emails|e mails|mails|messages|sms|spam|ads)\b/,
  /\bleave (?:me|us) alone\b/,
  /\b(?:take|remove|delete|strike|get) (?:me|us|my (?:number|name|email|e mail|address|phone|details)) (?:off|from|out of)\b/,
  /\b(?:lose|forget|delete|erase) my (?:number|email|e mail|address|contact)\b/,
  /\b(?:unsubscribe|opt) (?:me|us)\b/,
  /\b(?:i|we) (?:do not|dont|no longer) (?:want|wish) (?:to (?:hear from|receive|get|be contacted|be texted|be called)|(?:any|any more|more|your|these) (?:calls|texts|emails|e mails|mails|messages|sms|spam|ads))\b/,
  // German. Not "ich habe keine Mails mehr bekommen", which misses them.
  /(?<!\b(?:habe?|haben|kamen|kommen|bekam|bekamen|bekomme|erhielt|erhalte) (?:\w+ ){0,2})\b(?:keine|keinerlei) (?:weiteren? )?(?:nachrichten|mails|e mails|emails|sms|anrufe|werbung|newsletter) mehr\b/,
  /(?:^|\bbitte )(?:keine|keinerlei) (?:weiteren? )?(?:nachrichten|mails|e mails|emails|sms|anrufe|werbung|newsletter)(?: mehr| bitte| schicken| senden)*$/,
  /\b(?:schreib\w*|kontaktier\w*|ruf\w*|melde\w*|belastig\w*) (?:sie |du |ihr |bitte )*(?:mich|mir|uns|sich) (?:bitte )?(?:nie|nicht)(?: wieder| mehr)\b/,
  /\b(?:nie|nicht) (?:wieder|mehr) (?:schreiben|kontaktieren|anrufen|anschreiben|belastigen|melden)\b/,
  /\blass(?:en|t)? (?:sie |du |ihr )?(?:mich|uns) (?:bitte |doch |endlich )*in ruhe\b/,
  /\b(?:mich|uns|mein\w* (?:nummer|adresse|mailadresse|daten)) (?:bitte |sofort )*(?:aus|von) (?:dem|ihrem|eurem|deinem|der|ihrer|eurer|deiner) (?:verteiler|mailingliste|liste|kartei|datenbank)\b/,
  // French
  /\bne (?:me|nous|m) ?(?:contactez|contacte|ecrivez|ecris|appelez|appelle|envoyez|envoie|derangez) plus\b/,
  /\b(?:arretez|arrete|cessez) de (?:me|m|nous) ?(?:contacter|ecrire|appeler|envoyer|harceler|deranger)\b/,
  /\blaissez? (?:moi|nous) tranquilles?\b/,
  // "Plus de messages" alone may ask for more.
  /\b(?:ne veux|ne souhaite|ne veut|veux|souhaite) plus (?:recevoir )?(?:aucun|de|vos) (?:messages?|sms|mails?|appels?|pub)\b/,
  /\bplus aucun (?:message|sms|mail|appel)\b/,
  // Spanish
  /\bno (?:me|nos) (?:escriba[ns]?|escribas|llame[ns]?|contacte[ns]?|envie[ns]?|mande[ns]?|moleste[ns]?) mas\b/,
  /\b(?:deje|deja|dejen|dejad) de (?:escribirme|llamarme|enviarme|mandarme|contactarme|molestarme)\b/,
  /\b(?:dejame|dejenme|dejeme|dejadme) en paz\b/,
  /\bno (?:quiero|deseo) (?:recibir )?mas (?:mensajes|correos|llamadas|publicidad)\b/,
  // Italian
  /\bnon (?:scrivetemi|chiamatemi|contattatemi|mi (?:scrivete|scriva|scrivere|chiamate|chiami|chiamare|contattate|contatti|contattare|mandate|mandi)) piu\b/,
  /\b(?:smettete|smettila|smettetela|basta) di (?:scrivermi|chiamarmi|contattarmi|mandarmi|disturbarmi)\b/,
  /\b(?:lasciatemi|lasciami|mi lasci) in pace\b/,
  // Portuguese
  /\bnao me (?:ligue|liguem|contacte|contactem|escreva|escrevam|envie|enviem|mande|mandem|incomode|incomodem) mais\b/,
  /\bparem? de (?:me )?(?:ligar|enviar|mandar|escrever|contactar|incomodar)\b/,
  /\b(?:me deixe|me deixem|deixe me|deixem me) em paz\b/,
  // Dutch
  /\b(?:bel|schrijf|mail|app|sms|contacteer|stuur|benader) (?:mij|me|ons) (?:a ?u ?b |alsjeblieft |alstublieft )?(?:niet|nooit)(?: meer)\b/,
  /\blaat (?:mij|me|ons) met rust\b/,
  /(?<!\b(?:heb|hebben|kreeg|kregen|krijg) (?:\w+ ){0,2})\bgeen (?:berichten|mails|e mails|sms|telefoontjes|reclame) meer\b/,
];

/** The same in scripts without such endings: the phrase as it is. */
const phrases: readonly string[] = [
  'не пишите мне',
  'больше не пишите',
  'не пишите больше',
  'не звоните мне',
  'больше не звоните',
  'не присылайте',
  'не беспокойте',
  'оставьте меня в покое',
  'не пишіть мені',
  'більше не пишіть',
  'لا ترسل لي',
  'لا ترسلوا لي',
  'لا تتصل بي',
  'لا تتصلوا بي',
  'لا تراسلني',
  'اتركني وشأني',
  'اتركوني وشأني',
  'دیگه پیام ندید',
  'دیگر پیام نفرستید',
  'دیگه زنگ نزنید',
  'دیگر زنگ نزنید',
  'مزاحم نشوید',
  'مزاحم نشید',
].map(foldWords);

/**
 * Asked for only at some times or on another way: that is no opt-out, and a person has to read it. "Don't call me at work, text me."
 */
const limits: readonly RegExp[] = [
  // A confirmation, such as another store's.
  /\b(?:you (?:will (?:no longer |not )?(?:get|receive)|have been|are now)|sie erhalten|vous (?:ne )?recevrez|u ontvangt)\b/,
  /\b(?:today|tonight|tomorrow|yet|right now|before|until|till|after|during|at work|this (?:week|morning|evening|month)|instead|rather|only)\b/,
  /\b(?:but|just|please|rather|you can|can you|could you) (?:call|text|email|e mail|mail|message|write|whatsapp)\b/,
  /\b(?:heute|morgen|jetzt|vor|bis|nach|wahrend|stattdessen|lieber|sondern|nur)\b/,
  /\b(?:aujourd hui|demain|avant|jusqu|apres|pendant|plutot|seulement)\b/,
  /\b(?:hoy|manana|antes|hasta|despues|durante|mejor|solo)\b/,
  /\b(?:oggi|domani|prima|fino|dopo|durante|piuttosto|solo)\b/,
  /\b(?:hoje|amanha|antes|ate|depois|durante)\b/,
  /\b(?:vandaag|morgen|voor|tot|na|tijdens|liever|alleen)\b/,
];

/** Longer ones are letters: a person reads them. */
const longest = 400;

/**
 * Whether somebody asks in a sentence not to be written to again: an opt-out needs no keyword (47 CFR 64.1200(a)(10): any reasonable means). Cautious: where
 * it may be about a time or another way, it is an ordinary reply.
 * @param text - the person's own words, without what they quote
 * Source: docs/rules.md#rule-111
 */
export function asksToStop(text: string): boolean {
  if (text.length > longest) return false;
  // "don’t" is one word.
  const words = foldWords(text.replaceAll(/['’]/g, ''));
  const padded = ` ${words} `;
  const asks = requests.some((request) => request.test(words)) || phrases.some((phrase) => padded.includes(` ${phrase} `));
  return asks && !limits.some((limit) => limit.test(words));
}
