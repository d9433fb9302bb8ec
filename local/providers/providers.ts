import Fastify from 'fastify';
import { createTransport } from 'nodemailer';
import { BotApi } from '../phone/bot-api.ts';
import { CallStandIn, callRoutes } from './calls.ts';
import { chatRoutes } from './chats.ts';
import { CrmStandIn, crmRoutes } from './crm.ts';
import { InstantlyStandIn, instantlyRoutes } from './instantly.ts';
import { LeadAds, leadAdRoutes } from './lead-ads.ts';

/** Stand-ins for the providers of leads, on one machine. Nothing leaves it, and nobody is called or written to. */
export interface Providers {
  /** Each provider's API is below it: `/graph`, `/vapi`, `/telegram`, `/ghl`, `/instantly`. */
  url: string;
  ads: LeadAds;
  calls: CallStandIn;
  chats: BotApi;
  crm: CrmStandIn;
  instantly: InstantlyStandIn;
  /** The bot of a store, by its slug: `/chats/{id}` finds it by that. */
  connectBot(store: string, token: string): void;
  stop(): Promise<void>;
}

const guide = `Stand-ins for the providers of leads. Nothing leaves this machine: answer as the people would (JSON bodies).

POST /lead-ads          {"full_name":"Ada Example","email":"ada@example.com","phone_number":"+12025550143","click_id":"click-1"}   a lead ad is filled in
GET  /calls             the calls; POST /calls/latest/end {"endedReason":"customer-ended-call","transcript":"User: Please call me back later."}
GET  /chats             the chats with Telegram bots; POST /chats/5001 {"text":"/start"}, {"press":"…"}, {"phone":"+12025550143"}, {"block":true}
GET  /crm               GoHighLevel's contacts and conversations; POST /crm/says {"phone":"+12025550143","text":"Yes, please"}
                        POST /crm/books {"phone":"+12025550143"} agrees a viewing with them, "cancelled": true calls it off
POST /campaign-emails   {"email":"ada@example.com","event":"reply_received","text":"Yes, please"}   what happens to an email by Instantly

"store": "leads" in a body means the demo store for leads, instead of your own. How: docs/retention.md, "Trying it by hand".
`;

/**
 * Port 0 takes any free one. Errors of listening (EADDRINUSE …) are passed on.
 * @param options.seed - a secret of the installation: the CRM's signatures follow from it
 * @param options.smtpUrl - where the emails of Instantly's campaigns go
 */
export async function startProviders(options: { port: number; host: string; seed: string; smtpUrl: string; ringMs?: number }): Promise<Providers> {
  const mail = createTransport(options.smtpUrl);
  const ads = new LeadAds();
  const calls = new CallStandIn(options.ringMs);
  const chats = new BotApi(Math.floor(Date.now() / 1_000));
  const crm = new CrmStandIn(options.seed);
  const instantly = new InstantlyStandIn(async ({ to, subject, html, text, unsubscribeUrl }) => {
    const headers: Record<string, string> =
      unsubscribeUrl === null ? {} : { 'List-Unsubscribe': `<${unsubscribeUrl}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
    await mail.sendMail({ from: 'campaigns@instantly.example.com', to, subject, html, text, headers });
  });
  const bots = new Map<string, string>();

  const app = Fastify({ forceCloseConnections: true, bodyLimit: 2 * 2 ** 20 });
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  // Other pages of the browser cannot post here without asking first: only JSON is taken.
  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(guide));
  leadAdRoutes(app, ads);
  callRoutes(app, calls);
  chatRoutes(app, chats, (store) => bots.get(store) ?? null);
  crmRoutes(app, crm);
  instantlyRoutes(app, instantly);
  const url = await app.listen({ host: options.host, port: options.port });
  return {
    ...{ url, ads, calls, chats, crm, instantly },
    connectBot: (store, token) => void bots.set(store, token),
    async stop() {
      ads.stop();
      chats.end();
      await Promise.all([calls.stop(), crm.stop(), instantly.stop()]);
      await app.close();
      mail.close();
    },
  };
}
