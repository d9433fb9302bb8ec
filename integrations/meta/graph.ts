import { createHmac } from 'node:crypto';
import { outboundFetch } from '../http/outbound.ts';
import { answerFields } from '../http/answer-fields.ts';
import type { Lookup, Resolved, ResolveContext } from '../port.ts';
import { type Fields, type Notes, readFields } from '../read/notes.ts';
import { readId } from '../read/text.ts';
import { parseExactly } from '../read/parse-exactly.ts';
import { understood } from '../read/understood.ts';
import { graphVersion, type MetaConfig, metaConfig } from './config.ts';
import { byName, fieldOf } from './fields.ts';
import { answersOf, readLead } from './lead.ts';

const topic = 'leadgen';
const fields = 'created_time,ad_id,form_id,campaign_id,field_data,is_organic,platform';
/** Boxes of the form; asked for only where the connection says what they mean. */
const boxes = 'custom_disclaimer_responses';
const timeoutMs = 10_000;
const mostBytes = 1024 * 1024;

// Source: developers.facebook.com/docs/graph-api/guides/error-handling. Nearly all errors come with 400, so the code decides.
/** The token or what it may do: another token is needed. */
const refusedCodes = new Set([10, 102, 190, 200, 294, 2500]);
/** The lead itself: asking again changes nothing. */
const goneCodes = new Set([100, 803]);

/** Fetch a lead of which the notification brought only the id. */
export async function resolveLead(lookup: Lookup, context: ResolveContext): Promise<Resolved> {
  const read = metaConfig.safeParse(context.config);
  const id = lookup.what['leadgen_id'];
  if (!read.success) return { kind: 'locked_out', reason: 'the configuration of the connection cannot be read' };
  if (id === undefined || !/^\d{1,40}$/.test(id)) return unreadable('the notification named no lead');
  if (read.data.pageAccessToken === undefined) {
    return { kind: 'locked_out', reason: 'the connection has no page access token, with which leads are fetched' };
  }
  const answer = await ask(read.data, read.data.pageAccessToken, id, context.signal);
  if (answer.kind === 'later') return answer;
  if (answer.status === 200) return readAnswer(answer.body, id, read.data, context);
  return judge(answer.status, answer.body, answer.retryAfterMs);
}

type Answer = { kind: 'answer'; status: number; body: string; retryAfterMs: number | null } | Extract<Resolved, { kind: 'later' }>;

async function ask({ baseUrl, appSecret, consents }: MetaConfig, token: string, id: string, signal: AbortSignal | undefined): Promise<Answer> {
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/${graphVersion}/${id}`);
  url.searchParams.set('fields', Object.keys(consents).length === 0 ? fields : `${fields},${boxes}`);
  url.searchParams.set('access_token', token);
  // Apps may require proof that the caller knows the app's secret; other apps accept it, too.
  url.searchParams.set('appsecret_proof', createHmac('sha256', appSecret).update(token).digest('hex'));
  try {
    const limit = AbortSignal.timeout(timeoutMs);
    const response = await outboundFetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    const body = await response.text();
    if (body.length > mostBytes) return { kind: 'later', reason: 'Meta answered with more than a lead has' };
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { kind: 'answer', status: response.status, body, retryAfterMs: seconds >= 0 && seconds < 86_400 ? seconds * 1_000 : null };
  } catch (error) {
    // The message of a failed fetch may hold the address, and with it the token.
    const timedOut = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
    return { kind: 'later', reason: timedOut ? 'Meta did not answer in time' : 'Meta cannot be reached' };
  }
}

function judge(status: number, body: string, afterMs: number | null): Resolved {
  const error = readFields(answerFields(body)['error'], 'error', []) ?? {};
  const code = typeof error['code'] === 'number' ? error['code'] : null;
  const words = `Meta answered HTTP ${status}${code === null ? '' : `, error ${code}`}`;
  const later: Resolved = { kind: 'later', reason: words, ...(afterMs === null ? {} : { afterMs }) };
  if (code === null || error['is_transient'] === true || status === 429) return later;
  if (refusedCodes.has(code) || (code > 200 && code < 300)) {
    return { kind: 'locked_out', reason: `${words}: the page access token is not accepted, or may not read leads (leads_retrieval)` };
  }
  if (!goneCodes.has(code)) return later;
  return unreadable(
    code === 100 && error['error_subcode'] === 33
      ? `${words}: the lead does not exist any more, or the Leads Access Manager hides it from this app`
      : `${words}: there is no such lead`,
  );
}

function readAnswer(body: string, id: string, config: MetaConfig, { store, nowMs }: ResolveContext): Resolved {
  const notes: Notes = [];
  const lead = readFields(parsed(body), 'lead', notes);
  // A proxy's page may come with 200.
  if (lead === null) return { kind: 'later', reason: 'Meta answered with something that is no lead' };
  if (lead['id'] !== undefined && readId(lead['id'], 'lead.id', []) !== id) return { kind: 'later', reason: 'Meta answered with another lead' };
  const reading = { notes, store, receivedAtMs: nowMs, fieldOf: fieldOf(config.fields), consentOf: byName(config.consents) };
  const value: Fields = { ...lead, leadgen_id: id };
  return understood(topic, readLead(value, 'lead', answersOf(value, 'lead', notes), reading), notes, false);
}

function parsed(body: string): unknown {
  try {
    return parseExactly(body);
  } catch {
    return null;
  }
}

function unreadable(reason: string): Resolved {
  return { kind: 'unreadable', topic, reason, fields: [], mayBeStop: false };
}
