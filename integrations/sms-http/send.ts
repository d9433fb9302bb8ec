import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { Sender, SenderContext, SendOutcome, SmsPayload } from '../port.ts';
import { cleanText } from '../untrusted-text.ts';
import { accountOf, profileOf, type SmsHttpConfig } from './config.ts';
import { fieldAt, hasAll, readJson, wordAt } from './fields.ts';
import type { GatewayProfile, JsonTemplate } from './profile.ts';
import { filled, type Values } from './template.ts';

/**
 * Texts by a gateway that a profile describes. Such gateways know no keys, and find a text only by an id that a call in doubt never brought: it stays
 * `unknown`.
 * @param deps - times of the connection; tests shorten them
 */
export function createSmsHttpSender(
  config: SmsHttpConfig,
  context: SenderContext,
  deps: { openTimeoutMs?: number; continueMs?: number } = {},
): Sender<'sms'> {
  const profile = profileOf(config);
  return {
    channel: 'sms',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    open: () =>
      openHttpSession({
        url: urlOf(config, profile),
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({ ...requestOf(config, profile, context, payload, sendKey), judge: (answer) => judge(profile, answer) }),
      }),
  };
}

function urlOf({ baseUrl }: SmsHttpConfig, profile: GatewayProfile): URL {
  const url = new URL(profile.url);
  if (baseUrl === undefined) return url;
  const base = new URL(baseUrl);
  return new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}${url.pathname}${url.search}`);
}

function requestOf(config: SmsHttpConfig, profile: GatewayProfile, context: SenderContext, payload: SmsPayload, sendKey: string) {
  const values = valuesOf(config, context, payload, sendKey);
  const fill = (template: string) => filled(template, values, config.secrets);
  const pairs = (templates: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(templates).flatMap(([name, template]): [string, string][] => {
      const value = fill(template);
      // A parameter whose value is not known is left out.
      return value === '' && template !== '' ? [] : [[name, value]];
    });
  const url = urlOf(config, profile);
  for (const [name, value] of pairs(profile.query)) url.searchParams.append(name, value);
  const headers = Object.fromEntries(pairs(profile.headers).map(([name, value]) => [name.toLowerCase(), cleanText(value, 2_000) ?? '']));
  const accept = { accept: 'application/json, text/plain' };
  if (profile.method === 'GET') return { url, headers: { ...accept, ...headers }, body: Buffer.alloc(0) };
  const [type, body] =
    profile.form === undefined
      ? ['application/json', JSON.stringify(filledJson(profile.json ?? null, fill))]
      : ['application/x-www-form-urlencoded', new URLSearchParams(pairs(profile.form)).toString()];
  return { url, headers: { ...accept, 'content-type': type, ...headers }, body: Buffer.from(body) };
}

function valuesOf(config: SmsHttpConfig, { webhookUrl }: SenderContext, payload: SmsPayload, sendKey: string): Values {
  return {
    to: payload.to,
    toDigits: payload.to.replace(/\D/g, ''),
    text: payload.text,
    from: payload.from ?? config.from ?? null,
    key: sendKey,
    webhookUrl: webhookUrl === null ? null : `${webhookUrl}?token=${encodeURIComponent(config.webhookToken)}`,
  };
}

function filledJson(value: JsonTemplate, fill: (template: string) => string): unknown {
  if (typeof value === 'string') return fill(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => filledJson(one, fill));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filledJson(one, fill)]));
}

/** By what the answer says, and never by what it repeats of the text: a number in the ledger would be personal data. */
function judge(profile: GatewayProfile, { status, body }: HttpAnswer): SendOutcome {
  const response = `HTTP ${status}`;
  const json = readJson(body);
  const plain = json === undefined ? plainTextOf(body) : null;
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess) {
    const taken = takenBy(profile, json, plain);
    if (taken !== null) return { kind: 'accepted', providerMessageId: taken.id, response };
  }
  const outcome = judgeStatus(status, response);
  // Whatever stands in an answer of 5xx, the gateway may have failed after taking the text.
  if (!isSuccess && outcome.kind !== 'refused') return outcome;
  for (const rule of profile.refused) {
    const fits =
      (rule.status === undefined || rule.status === status) &&
      (rule.text === undefined || plain?.toLowerCase().includes(rule.text.toLowerCase()) === true) &&
      (rule.where === undefined || hasAll(json, rule.where));
    if (!fits) continue;
    const said = rule.text === undefined ? response : `${response}, ${rule.text}`;
    return { kind: 'refused', severity: rule.severity, ...(rule.outage ? { outage: true } : {}), response: said };
  }
  if (!isSuccess) return outcome;
  // A proxy's page may come with 200.
  if (profile.plainTextIsRefusal && plain !== null) return { kind: 'refused', severity: 'soft', response: `${response}, an error in plain text` };
  return { kind: 'unknown', response };
}

function takenBy({ accepted }: GatewayProfile, json: unknown, plain: string | null): { id: string | null } | null {
  if (accepted.begins !== undefined) {
    if (plain === null || !plain.toLowerCase().startsWith(accepted.begins.toLowerCase())) return null;
    return { id: /^[\s:=,]*([\w.-]{1,100})/.exec(plain.slice(accepted.begins.length))?.[1] ?? null };
  }
  if (!hasAll(json, accepted.where)) return null;
  if (accepted.id === undefined) return typeof json === 'object' && json !== null ? { id: null } : null;
  const found = fieldAt(json, accepted.id);
  const id = typeof found === 'string' || typeof found === 'number' ? wordAt(json, accepted.id) : null;
  return id === null || id.length > 255 ? null : { id };
}

/** An answer that is words: no page, no broken JSON, not empty. */
function plainTextOf(body: string): string | null {
  const text = body.trim();
  return text === '' || text.length > 500 || /^[<{["]/.test(text) ? null : text;
}
