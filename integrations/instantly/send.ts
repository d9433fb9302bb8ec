import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Sender, SendOutcome } from '../port.ts';
import { accountField, accountOf, campaignOf, type InstantlyConfig, keyField, urlOf, variablesOf } from './config.ts';
import { findLead } from './find.ts';

/**
 * Emails by Instantly: the person becomes a lead of a campaign whose one step is `{{rk_subject}}` and `{{rk_body}}`. It knows no idempotency keys; a call
 * in doubt is looked up by the lead, which carries the message's key.
 * Source: developer.instantly.ai/api/v2/lead
 * @param deps - times of the connection and of questions; tests shorten them
 */
export function createInstantlySender(
  config: InstantlyConfig,
  deps: { openTimeoutMs?: number; continueMs?: number; askTimeoutMs?: number } = {},
): Sender<'email'> {
  const url = urlOf(config, '/leads');
  return {
    channel: 'email',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'find', settleAfterMs: 60_000, find: (key, payload) => findLead(config, key, payload, deps.askTimeoutMs ?? 1_800) },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: { authorization: `Bearer ${config.apiKey}`, accept: 'application/json', 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(bodyOf(config, payload, sendKey))),
          judge: (answer) => judge(answer, sendKey),
        }),
      }),
  };
}

function bodyOf(config: InstantlyConfig, { to, subject, html, text, unsubscribeUrl }: EmailPayload, sendKey: string): object {
  return {
    campaign: campaignOf(config, sendKey),
    email: to.address,
    ...(to.name === null || to.name === '' ? {} : { first_name: to.name }),
    // Instantly leaves a lead that is already in the campaign unchanged, and its answer says so: nothing is sent twice.
    skip_if_in_campaign: true,
    custom_variables: {
      rk_subject: subject,
      rk_body: html,
      rk_text: text,
      rk_unsubscribe: unsubscribeUrl ?? '',
      [accountField]: config.account,
      [keyField]: sendKey,
    },
  };
}

function judge({ status, body }: HttpAnswer, sendKey: string): SendOutcome {
  const response = `HTTP ${status}`;
  const answer = answerFields(body);
  const id = typeof answer['id'] === 'string' && /^[\w-]{1,100}$/.test(answer['id']) ? answer['id'] : null;
  if (status >= 200 && status < 300) {
    const key = variablesOf(answer)?.[keyField];
    // The lead that is in the campaign is another message's: this one was left out.
    if (id !== null && typeof key === 'string' && key !== sendKey)
      return { kind: 'refused', severity: 'soft', response: `${response}, the person is in this campaign already` };
    // A proxy's page may come with 200, and a lead without our variables may be one that was there before: the look-up tells.
    return id !== null && key === sendKey ? { kind: 'accepted', providerMessageId: id, response } : { kind: 'unknown', response };
  }
  const outcome = judgeStatus(status, response);
  if (outcome.kind !== 'refused') return outcome;
  // The plan has no API or is not paid: it says nothing about this message.
  if (status === 402) return { ...outcome, outage: true };
  return status === 400 && isAboutAddress(answer['message']) ? { ...outcome, severity: 'hard' } : outcome;
}

const isAboutAddress = (message: unknown): boolean =>
  typeof message === 'string' && /\b(?:invalid|not valid)\b.*\bemail\b|\bemail\b.*\b(?:invalid|not valid|must match format)\b/i.test(message);
