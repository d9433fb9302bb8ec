import { callConfiguration } from '../../domain/channels/index.ts';
import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { CallPayload, Sender, SendOutcome } from '../port.ts';
import { accountField, accountOf, callName, callsUrl, keyField, type VapiConfig } from './config.ts';
import { findCall } from './find.ts';

/**
 * Calls by VAPI's API. It knows no idempotency keys; a call in doubt is looked up by its name.
 * Source: docs.vapi.ai/api-reference/calls/create
 * @param deps - times of the connection and of questions; tests shorten them
 */
export function createVapiSender(
  config: VapiConfig,
  deps: { openTimeoutMs?: number; continueMs?: number; askTimeoutMs?: number } = {},
): Sender<'call'> {
  const url = callsUrl(config);
  return {
    channel: 'call',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'find', settleAfterMs: 30_000, find: (key, payload) => findCall(config, key, payload, deps.askTimeoutMs ?? 1_800) },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: { authorization: `Bearer ${config.apiKey}`, accept: 'application/json', 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(bodyOf(config, payload, sendKey))),
          judge,
        }),
      }),
  };
}

function bodyOf(config: VapiConfig, payload: CallPayload, sendKey: string): object {
  const { to, name, opening, variables } = payload;
  const own = { assistant: config.assistantId, phoneNumber: config.phoneNumberId, maxSeconds: config.maxSeconds };
  const { assistant, phoneNumber, maxSeconds } = callConfiguration(payload.configuration, own);
  const plainVariables = Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, spoken(value)]));
  return {
    assistantId: assistant,
    phoneNumberId: phoneNumber,
    name: callName(sendKey),
    customer: { number: to, ...(name === null ? {} : { name: spoken(name).slice(0, 40) }) },
    assistantOverrides: {
      firstMessage: spoken(opening),
      ...(maxSeconds === null ? {} : { maxDurationSeconds: maxSeconds }),
      variableValues: plainVariables,
      metadata: { [accountField]: config.account, [keyField]: sendKey },
      serverMessages: ['status-update', 'end-of-call-report'],
    },
  };
}

/** VAPI takes what stands in double braces for a template of its own: in what somebody typed into a form it is none. */
const spoken = (text: string): string => text.replace(/\{(?=[{%])/g, '');

function judge({ status, body }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const response = `HTTP ${status}`;
  const id = typeof answer['id'] === 'string' && answer['id'] !== '' && answer['id'].length <= 255 ? answer['id'] : null;
  // A proxy's page may come with 200; VAPI names the call.
  if (status >= 200 && status < 300 && id === null) return { kind: 'unknown', response };
  const outcome = judgeStatus(status, response, id);
  if (outcome.kind !== 'refused' || status !== 400) return outcome;
  const said = [answer['message']].flat().filter((one): one is string => typeof one === 'string');
  // All lines are busy: it says nothing about this person.
  if (said.some((one) => /concurren|over .*limit|limit (?:reached|exceeded)/i.test(one)))
    return { ...outcome, outage: true, response: `${response}, a limit of the account` };
  if (said.some((one) => /\bcustomer\.number\b/i.test(one)))
    return { ...outcome, severity: 'hard', response: `${response}, the number cannot be called` };
  return outcome;
}
