import { isChannel } from '../channels/index.ts';

/** What the name of a text says: `cart/email_2h.sms.fa` is what the step says as a text message, in Persian. */
export interface CopyName {
  content: string;
  /** Null: emails, whose texts have the bare name. */
  channel: string | null;
  /** BCP 47, as it is written in the name; null: the text that its translations are made from. */
  language: string | null;
}

const languageName = /^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$/i;

/** Read a name as it stands in a draft, or of a file without `.liquid`. Null: no text is called so. */
export function readCopyName(name: string): CopyName | null {
  const [content = '', ...rest] = name.split('.');
  const [first] = rest;
  const channel = first !== undefined && isChannel(first) ? first : null;
  const [language = null, ...more] = channel === null ? rest : rest.slice(1);
  if (content === '' || more.length > 0 || (language !== null && !languageName.test(language))) return null;
  return { content, channel, language };
}
