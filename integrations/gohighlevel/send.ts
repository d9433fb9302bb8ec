import { answerFields } from '../http/answer-fields.ts';
import type { HttpAnswer } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Payload, Sender, SenderContext, SendOutcome, SmsPayload, WhatsappPayload } from '../port.ts';
import { accountOf, type GoHighLevelConfig, headersOf, isId, messageRate, urlOf } from './config.ts';
import { type Addressee, contactFor, ContactIds } from './contact-id.ts';
import { findEmail, findText } from './find.ts';
import { judgeRefusal } from './judge.ts';
import { type Login, loginOf } from './login.ts';
import type { SendDeps } from './send-deps.ts';
import { createWorkflowSender } from './workflows.ts';

type MessageChannel = 'sms' | 'email' | 'whatsapp';

/** What differs between the channels. */
interface Kind<C extends MessageChannel> {
  channel: C;
  addressee(payload: Payload<C>): Addressee;
  /** The request's body without the contact; null: HighLevel cannot carry such a message. */
  body(config: GoHighLevelConfig, payload: Payload<C>): Record<string, unknown> | null;
  find(config: GoHighLevelConfig, token: string, payload: Payload<C>, timeoutMs: number): Promise<'accepted' | 'not_accepted'>;
}

const fromNumber = ({ fromNumber: own }: GoHighLevelConfig, from: string | null = null) => {
  const number = from?.startsWith('+') === true ? from : own;
  return number === undefined ? {} : { fromNumber: number };
};

const sms: Kind<'sms'> = {
  channel: 'sms',
  addressee: ({ to }) => ({ phone: to }),
  body: (config, { to, from, text }: SmsPayload) => ({ type: 'SMS', message: text, toNumber: to, ...fromNumber(config, from) }),
  find: (config, token, { to, text, shortUrl }, timeoutMs) =>
    findText(config, token, { who: { phone: to }, types: ['TYPE_SMS'], text, link: shortUrl }, timeoutMs),
};

const whatsapp: Kind<'whatsapp'> = {
  channel: 'whatsapp',
  addressee: ({ to }) => ({ phone: to }),
  // Its templates are known by ids of the location's own, not by the names that Meta approves.
  body(config, { to, message }: WhatsappPayload) {
    const about = { type: 'WhatsApp', toNumber: to, ...fromNumber(config) };
    if (message.form === 'text') return { ...about, message: message.text };
    const templateId = config.templates[`${message.name}:${message.language}`] ?? config.templates[message.name];
    return templateId === undefined ? null : { ...about, templateId };
  },
  find: (config, token, { to, message }, timeoutMs) => {
    const text = message.form === 'text' ? message.text : '';
    const link = /https?:\/\/\S+\/s\/[\w-]+/.exec(text)?.[0] ?? null;
    return findText(config, token, { who: { phone: to }, types: ['TYPE_WHATSAPP'], text, link }, timeoutMs);
  },
};

const email: Kind<'email'> = {
  channel: 'email',
  addressee: ({ to }) => ({ email: to.address }),
  body: ({ emailFrom }, { to, subject, html, text }: EmailPayload) => ({
    type: 'Email',
    subject,
    html,
    message: text,
    emailTo: to.address,
    ...(emailFrom === undefined ? {} : { emailFrom }),
  }),
  find: findEmail,
};

/**
 * Messages through the conversations of a HighLevel location. The contact of an address is found or made first, and what follows it is one request that
 * the fence relies on. HighLevel knows no idempotency keys: a call in doubt is looked for in the contact's conversation, by what it says.
 * Source: marketplace.gohighlevel.com/docs/ghl/conversations/send-a-new-message
 */
export function createGoHighLevelSenders(config: GoHighLevelConfig, context: SenderContext, deps: SendDeps = {}): readonly Sender[] {
  const ids = new ContactIds();
  const login = loginOf(config, context);
  const all: readonly Sender[] = [
    messageSender(config, sms, ids, login, deps),
    messageSender(config, email, ids, login, deps),
    messageSender(config, whatsapp, ids, login, deps),
    createWorkflowSender(config, ids, login, deps),
  ];
  return all.filter(({ channel }) => config.sends.some((one) => one === channel));
}

function messageSender<C extends MessageChannel>(config: GoHighLevelConfig, kind: Kind<C>, ids: ContactIds, login: Login, deps: SendDeps): Sender<C> {
  const url = urlOf(config, '/conversations/messages');
  return {
    channel: kind.channel,
    account: accountOf(config.locationId),
    rates: { account: messageRate, isShared: true },
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: {
      kind: 'find',
      settleAfterMs: 60_000,
      find: async (_key, payload) => kind.find(config, await login.token(), payload, deps.askTimeoutMs ?? 1_800),
    },
    async open() {
      const token = await login.token();
      let contactId: string | null = null;
      const session = await openHttpSession<C>({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload) => ({
          url,
          headers: headersOf(token),
          body: Buffer.from(JSON.stringify({ ...kind.body(config, payload), contactId })),
          judge,
        }),
      });
      return {
        async send(payload, sendKey, deadline, begun) {
          if (kind.body(config, payload) === null)
            return {
              kind: 'refused',
              severity: 'soft',
              response: 'the location’s id of this template is not known: name it in `templates` of the connection',
            };
          const who = kind.addressee(payload);
          const address = who.email ?? who.phone ?? '';
          const found = await contactFor(config, token, ids, who, () => deadline.remainingMs());
          if (found.kind === 'refused') return login.judged(token, found.outcome);
          contactId = found.id;
          const outcome = await session.send(payload, sendKey, deadline, begun);
          // The contact may be gone, or be another by now.
          if (outcome.kind === 'refused') ids.forget(address);
          return login.judged(token, outcome);
        },
        close: () => session.close(),
      };
    },
  };
}

function judge({ status, body, headers }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const response = `HTTP ${status}`;
  if (status >= 200 && status < 300) {
    const id = [answer['messageId'], [answer['messageIds']].flat()[0]].find(isId);
    // A proxy's page may come with 200; HighLevel names the message.
    return id === undefined ? { kind: 'unknown', response } : { kind: 'accepted', providerMessageId: id, response };
  }
  return judgeRefusal({ status, headers }, answer) ?? { kind: 'unknown', response };
}
