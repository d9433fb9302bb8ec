import { MailStore } from './mail-store.ts';
import { startSmtp } from './smtp.ts';
import { buildMailboxWeb } from './web.ts';

export interface Mailbox {
  /** For SMTP_URL. */
  smtpUrl: string;
  /** The page, and below it `/api/v1/messages` in the shape of Mailpit's API. */
  webUrl: string;
  stop(): Promise<void>;
}

/**
 * A mail server for one machine that keeps what it is given under `dir` and shows it on a page.
 * Port 0 takes any free one. Errors of listening (EADDRINUSE …) are passed on.
 */
export async function startMailbox(options: { dir: string; smtpPort: number; httpPort: number; host: string }): Promise<Mailbox> {
  const store = new MailStore(options.dir);
  const smtp = await startSmtp({ store, host: options.host, port: options.smtpPort });
  const web = buildMailboxWeb(store);
  try {
    const address = await web.listen({ host: options.host, port: options.httpPort });
    return {
      smtpUrl: `smtp://${options.host}:${smtp.port}`,
      webUrl: address,
      async stop() {
        await Promise.all([smtp.close(), web.close()]);
      },
    };
  } catch (error) {
    await smtp.close();
    throw error;
  }
}
