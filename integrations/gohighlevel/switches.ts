import { outboundFetch } from '../http/outbound.ts';
import { answerFields } from '../http/answer-fields.ts';
import type { Lookup, Resolved, ResolveContext } from '../port.ts';
import { goHighLevelConfig, headersOf, isId, urlOf } from './config.ts';
import { loginOf } from './login.ts';

/** What a look-up of this topic does: it sets switches, which may be set again. */
const switchTopic = 'dnd';
const timeoutMs = 10_000;

const names = { sms: 'sms', email: 'email', whatsapp: 'whatsApp', call: 'call' } as const;
const switchOf = (isOn: boolean) => ({ status: isOn ? 'active' : 'inactive', message: isOn ? 'Opted out' : 'Opted in' });

/**
 * The switches for what somebody has said. `all` closes everything; one that is opened after that closes the others, because `dnd` was on for all of
 * them.
 */
export function switchesFor(channel: string, isOn: boolean, wasAll: boolean): Record<string, unknown> {
  const all = Object.entries(names);
  if (channel === 'all') return { dnd: isOn, ...(isOn ? {} : { dndSettings: Object.fromEntries(all.map(([, name]) => [name, switchOf(false)])) }) };
  const own = all.filter(([of]) => of === channel).map(([, name]) => [name, switchOf(isOn)] as const);
  if (isOn || !wasAll) return { dndSettings: Object.fromEntries(own) };
  return { dnd: false, dndSettings: Object.fromEntries([...all.map(([, name]) => [name, switchOf(true)] as const), ...own]) };
}

/** Tell the location what one of its contacts has said elsewhere. */
export async function setSwitches({ what }: Lookup, context: ResolveContext): Promise<Resolved> {
  const config = goHighLevelConfig.safeParse(context.config).data;
  const { contact_id: contactId, channel = 'all', state, was } = what;
  if (config === undefined) return { kind: 'locked_out', reason: 'the configuration of the connection cannot be read' };
  // A channel without a switch there, such as a chat, closes nothing of it.
  const isKnown = channel === 'all' || Object.hasOwn(names, channel);
  if (!isId(contactId) || !isKnown) return { kind: 'ignored', topic: switchTopic };
  try {
    const limit = AbortSignal.timeout(timeoutMs);
    const response = await outboundFetch(urlOf(config, `/contacts/${contactId}`), {
      method: 'PUT',
      headers: headersOf(await loginOf(config, { webhookUrl: null, ...(context.tokens === undefined ? {} : { tokens: context.tokens }) }).token()),
      body: JSON.stringify(switchesFor(channel, state === 'denied', was === 'all')),
      redirect: 'manual',
      signal: context.signal === undefined ? limit : AbortSignal.any([limit, context.signal]),
    });
    const answer = answerFields(await response.text());
    if (response.ok && (answer['succeeded'] ?? answer['succeded']) !== false) return { kind: 'ignored', topic: switchTopic };
    const reason = `GoHighLevel answered HTTP ${response.status} to a switch for "do not disturb"`;
    if (response.status === 401 || response.status === 403)
      return { kind: 'locked_out', reason: `${reason}: the token is not accepted, or may not write contacts` };
    // The contact is gone: there is nobody to leave alone.
    return response.status === 404 ? { kind: 'ignored', topic: switchTopic } : { kind: 'later', reason };
  } catch {
    return { kind: 'later', reason: 'GoHighLevel cannot be reached' };
  }
}
