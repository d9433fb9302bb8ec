import { countSegments } from '../channels/sms/segments.ts';
import type { PayloadOf } from '../../domain/channels/index.ts';
import { chooseLanguage } from '../../domain/languages.ts';
import type { AnsweredKeyword, KeywordChannel } from '../../domain/people/keyword-answers.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';

type Answers = Readonly<Record<AnsweredKeyword, (store: string, contact: string) => string>>;

/**
 * They confirm and help, and offer nothing: a confirmation of an opt-out may not advertise (47 CFR 64.1200(a)(12)). The keywords are the ones that are
 * understood in every language.
 */
const answers: Readonly<Record<string, Answers>> = {
  en: {
    stop: (store) => `${store}: You will get no more messages from us. Reply START to get them again.`,
    start: (store) => `${store}: You will get our messages again. Reply STOP to end them.`,
    help: (store, contact) => `${store}: We write about what you left with us or asked us for. Questions: ${contact}. Reply STOP to end it.`,
  },
  de: {
    stop: (store) => `${store}: Sie erhalten keine Nachrichten mehr von uns. Mit START erhalten Sie wieder welche.`,
    start: (store) => `${store}: Sie erhalten wieder Nachrichten von uns. Mit STOP enden sie.`,
    help: (store, contact) => `${store}: Wir schreiben zu dem, was Sie bei uns begonnen oder angefragt haben. Fragen: ${contact}. Mit STOP endet es.`,
  },
  fr: {
    stop: (store) => `${store} : vous ne recevrez plus de messages de notre part. Répondez START pour en recevoir à nouveau.`,
    start: (store) => `${store} : vous recevrez à nouveau nos messages. Répondez STOP pour les arrêter.`,
    help: (store, contact) =>
      `${store} : nous écrivons au sujet de ce que vous avez commencé ou demandé chez nous. Questions : ${contact}. Répondez STOP pour arrêter.`,
  },
  es: {
    stop: (store) => `${store}: no recibirá más mensajes nuestros. Responda START para recibirlos de nuevo.`,
    start: (store) => `${store}: volverá a recibir nuestros mensajes. Responda STOP para dejar de recibirlos.`,
    help: (store, contact) => `${store}: escribimos sobre lo que dejó o pidió en nuestra tienda. Preguntas: ${contact}. Responda STOP para terminar.`,
  },
  it: {
    stop: (store) => `${store}: non riceverà più messaggi da noi. Risponda START per riceverli di nuovo.`,
    start: (store) => `${store}: riceverà di nuovo i nostri messaggi. Risponda STOP per non riceverli più.`,
    help: (store, contact) => `${store}: scriviamo di ciò che ha lasciato o chiesto da noi. Domande: ${contact}. Risponda STOP per terminare.`,
  },
  pt: {
    stop: (store) => `${store}: não receberá mais mensagens nossas. Responda START para voltar a recebê-las.`,
    start: (store) => `${store}: voltará a receber as nossas mensagens. Responda STOP para terminar.`,
    help: (store, contact) => `${store}: escrevemos sobre o que deixou ou pediu na nossa loja. Perguntas: ${contact}. Responda STOP para terminar.`,
  },
  nl: {
    stop: (store) => `${store}: u ontvangt geen berichten meer van ons. Antwoord START om ze weer te ontvangen.`,
    start: (store) => `${store}: u ontvangt onze berichten weer. Antwoord STOP om ze te beëindigen.`,
    help: (store, contact) =>
      `${store}: wij schrijven over wat u bij ons hebt achtergelaten of gevraagd. Vragen: ${contact}. Antwoord STOP om te stoppen.`,
  },
  ru: {
    stop: (store) => `${store}: мы больше не будем вам писать. Ответьте START, чтобы снова получать сообщения.`,
    start: (store) => `${store}: вы снова будете получать наши сообщения. Ответьте STOP, чтобы прекратить.`,
    help: (store, contact) =>
      `${store}: мы пишем о том, что вы у нас оставили или о чём спросили. Вопросы: ${contact}. Ответьте STOP, чтобы прекратить.`,
  },
  ar: {
    stop: (store) => `${store}: لن تصلك رسائل أخرى منا. أرسل START لتصلك من جديد.`,
    start: (store) => `${store}: ستصلك رسائلنا من جديد. أرسل STOP لإيقافها.`,
    help: (store, contact) => `${store}: نراسلك بشأن ما تركته أو طلبته لدينا. للأسئلة: ${contact}. أرسل STOP لإيقاف الرسائل.`,
  },
  fa: {
    stop: (store) => `${store}: دیگر پیامی از ما دریافت نمی‌کنید. برای دریافت دوباره START بفرستید.`,
    start: (store) => `${store}: دوباره پیام‌های ما را دریافت می‌کنید. برای پایان STOP بفرستید.`,
    help: (store, contact) => `${store}: درباره آنچه نزد ما گذاشته یا خواسته‌اید می‌نویسیم. پرسش‌ها: ${contact}. برای پایان STOP بفرستید.`,
  },
};

export const answerLanguages = Object.keys(answers);

/**
 * The text that answers a keyword.
 * @param languages - BCP 47, best first; English where none is spoken here
 */
export function keywordAnswer(keyword: AnsweredKeyword, languages: readonly (string | null)[], settings: TenantSettings): string {
  const language = chooseLanguage(answerLanguages, languages) ?? 'en';
  return (answers[language] ?? answers['en'])?.[keyword](settings.storeName, settings.supportEmail ?? settings.replyTo ?? settings.storeUrl) ?? '';
}

export function keywordPayload(channel: KeywordChannel, to: string, text: string, { smsSender }: TenantSettings): PayloadOf<KeywordChannel> {
  if (channel === 'whatsapp') return { channel, to, message: { form: 'text', text } };
  return { channel, to, from: smsSender, text, shortUrl: null, segments: countSegments(text).segments };
}
