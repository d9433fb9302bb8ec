import { TextStore } from './text-store.ts';
import { buildPhoneWeb } from './web.ts';

export interface Phone {
  /** The page with the texts, and the `baseUrl` of a Twilio connection. */
  webUrl: string;
  texts: TextStore;
  stop(): Promise<void>;
}

/**
 * A stand-in for Twilio on one machine: takes texts, keeps them under `dir`, shows them on a page, and sends signed receipts and replies to the
 * webhook that the sender named. A connection to it has any account SID and auth token; an API key is not known here.
 * Port 0 takes any free one. Errors of listening (EADDRINUSE …) are passed on.
 */
export async function startPhone(options: { dir: string; port: number; host: string }): Promise<Phone> {
  const texts = new TextStore(options.dir);
  const web = buildPhoneWeb(texts);
  const webUrl = await web.listen({ host: options.host, port: options.port });
  return { webUrl, texts, stop: () => web.close() };
}
