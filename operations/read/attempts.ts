import { type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { type Channel, isChannel } from '../../domain/channels/index.ts';
import type { Deps } from '../deps.ts';
import { isDescending, type Page, pageOf, type PageWanted, readList } from './page.ts';

// For code that may not import `domain/`.
export { channelNames as attemptChannels } from '../../domain/channels/index.ts';

/** `SCHEDULED`: put off, or to be tried again. `RUNNING`: its call may be under way. `SUCCESS`: the provider has it, or may have; a call was answered. */
export const attemptStatuses = ['SCHEDULED', 'RUNNING', 'SUCCESS', 'FAILED'] as const;
export type AttemptStatus = (typeof attemptStatuses)[number];

/** One try to reach somebody: a message of the ledger, or the step that was put off and comes next. Personal data: what was said in a call. */
export interface AttemptView {
  /** Of the message: the `sub_id` of its links; null: it has no message yet. */
  id: string | null;
  enrollmentId: string;
  /** The lead, or whatever the sequence is about. */
  subjectId: string;
  campaignId: string | null;
  step: string;
  channel: string | null;
  /** The name of its script, or of the step's own text; null: it has none. */
  script: string | null;
  status: AttemptStatus;
  /** In the future while it is scheduled. */
  startedAtMs: number;
  variant: string | null;
  /** The test of its campaign that `variant` is an arm of; null: it is the step's, or nothing is compared. */
  experimentId: string | null;
  providerId: string | null;
  notes: string | null;
  /** Of a call; null: it has none, or this is not a call. */
  transcript: string | null;
  keywords: string[];
}

export interface AttemptFilter {
  lead?: string | undefined;
  campaign?: string | undefined;
  channel?: Channel | undefined;
  status?: AttemptStatus | undefined;
}

/** The newest first. A step that was put off and has no message yet stands where its enrollment began. */
export function listAttempts(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { lead, campaign, channel, status }: AttemptFilter,
  page: PageWanted,
): Promise<Page<AttemptView & { key: string }>> {
  return readList(deps, tenantId, async (tx) => {
    const descending = isDescending('newest', page);
    const asked = [
      ...(lead === undefined ? [] : [sql`e.id = any(array(select r.id from enrollments r where r.subject_id = ${lead}))`]),
      ...(campaign === undefined ? [] : [sql`e.campaign_id = ${campaign}`]),
    ];
    const told = [
      ...(page.after === null ? [] : [sql`a.key ${sql.raw(descending ? '<' : '>')} ${page.after}`]),
      ...(channel === undefined ? [] : [sql`a.channel = ${channel}`]),
      ...(status === undefined ? [] : [sql`a.status = ${status}`]),
    ];
    const sent = [
      ...(channel === undefined ? [] : [sql`m.channel = ${channel}`, ...(channel === 'email' ? [] : [sql`m.channel <> 'email'`])]),
      ...(status === undefined ? [] : [mayBecome[status]]),
    ];
    const ofMessages = all(sent);
    const wanted = { nowMs: deps.clock.nowMs(), ofEnrollments: all(asked), ofMessages, of: all(told), limit: page.limit + 1, descending };
    const rows = await readAttempts(tx, wanted);
    return pageOf(rows, page.limit, ({ key }) => key);
  });
}

/** What is true of every message that has a status, by which the rare ones are found. */
const mayBecome: Record<AttemptStatus, SQL> = {
  SCHEDULED: sql`m.state = 'failed'`,
  RUNNING: sql`m.state = 'claimed' and m.live`,
  SUCCESS: sql`true`,
  FAILED: sql`m.id in (select k.id from messages k where k.state = 'failed'
    union all select k.message_id from calls k where k.outcome in ('not_reached', 'failed')
    union all select k.message_id from message_events k where k.type = 'failed')`,
};

/** @returns null where the tenant has no such attempt */
export function readAttempt(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string): Promise<AttemptView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const ofEnrollments = sql`e.id = (select k.enrollment_id from messages k where k.id = ${id})`;
    const [row] = await readAttempts(tx, { nowMs: deps.clock.nowMs(), ofEnrollments, of: sql`a.id = ${id}`, limit: 1 });
    return row ?? null;
  });
}

/** Of these enrollments, the oldest first; no more than a person can look through. */
export async function attemptsOf(tx: Tx, enrollmentIds: readonly string[], nowMs: number): Promise<AttemptView[]> {
  if (enrollmentIds.length === 0) return [];
  const ids = `{${enrollmentIds.join(',')}}`;
  const rows = await readAttempts(tx, { nowMs, ofEnrollments: sql`e.id = any(${ids}::uuid[])`, of: sql`true`, limit: 1_000 });
  return rows.toReversed();
}

const all = (conditions: readonly SQL[]): SQL => (conditions.length === 0 ? sql`true` : sql.join([...conditions], sql` and `));

interface Asked {
  nowMs: number;
  /** About `e`, the enrollment. */
  ofEnrollments: SQL;
  /** About `m`, a message, and no more than `of` says; absent: any. */
  ofMessages?: SQL;
  /** About `a`, the attempt. */
  of: SQL;
  limit: number;
  /** Absent: the newest first. */
  descending?: boolean;
}

interface Row extends Record<string, unknown> {
  key: string;
  id: string | null;
  enrollment_id: string;
  subject_id: string;
  campaign_id: string | null;
  step_id: string;
  channel: string | null;
  script: string | null;
  status: AttemptStatus;
  started_ms: number;
  variant: string | null;
  experiment_id: string | null;
  provider_id: string | null;
  is_unknown: boolean;
  response: string | null;
  transcript: string | null;
  keywords: string[] | null;
}

const columnsOf = sql.raw(
  'key, id, enrollment_id, version_id, subject_id, campaign_id, step_id, channel, status, started_ms, variant, experiment_id, provider_id, is_unknown, response, transcript, keywords, script_id',
);

async function readAttempts(
  tx: Tx,
  { nowMs, ofEnrollments, ofMessages = sql`true`, of, limit, descending = true }: Asked,
): Promise<(AttemptView & { key: string })[]> {
  // Each half is a page of its own, which its index fills.
  const page = sql`where ${of} order by a.key ${sql.raw(descending ? 'desc' : 'asc')} limit ${limit}`;
  const { rows } = await tx.execute<Row>(sql`
    select a.*, coalesce(
      (select t.name from scripts t where t.id = a.script_id),
      (select s ->> 'content' from sequence_versions v cross join jsonb_array_elements(v.definition -> 'steps') s
        where v.id = a.version_id and s ->> 'id' = a.step_id)) as script
    from (
      (select * from (
      select m.id, m.id, m.enrollment_id, e.version_id, e.subject_id, e.campaign_id, m.step_id, m.channel,
        case
          when m.state = 'claimed' then 'RUNNING'
          when m.state = 'failed' and e.ended_at is null and (e.not_before ->> m.step_id)::double precision > ${nowMs} then 'SCHEDULED'
          when m.state = 'failed' or c.outcome in ('not_reached', 'failed') then 'FAILED'
          -- A provider may take a message and report later that it never arrived.
          when exists (select from message_events x where x.message_id = m.id and x.type = 'failed')
            and not exists (select from message_events x where x.message_id = m.id and x.type = 'delivered') then 'FAILED'
          else 'SUCCESS' end,
        case when m.state = 'failed' and e.ended_at is null and (e.not_before ->> m.step_id)::double precision > ${nowMs}
          then (e.not_before ->> m.step_id)::double precision
          else extract(epoch from coalesce(m.claimed_at, m.created_at)) * 1000 end::double precision,
        m.variant, m.experiment_id, m.provider_message_id, m.state = 'unknown',
        -- Why it failed after the provider had taken it is what it reported then, and not its first answer.
        case when m.state = 'failed' then m.response when c.outcome in ('not_reached', 'failed') then c.reason
          else (select x.data ->> 'detail' from message_events x where x.message_id = m.id and x.type = 'failed' order by x.occurred_at desc limit 1) end,
        c.transcript, c.keywords, m.script_id
      from messages m join enrollments e on e.id = m.enrollment_id left join calls c on c.message_id = m.id
      where m.state <> 'skipped' and ${ofEnrollments} and ${ofMessages}) a(${columnsOf}) ${page})
      union all
      (select * from (
      select e.id, null::uuid, e.id, e.version_id, e.subject_id, e.campaign_id, n.step_id,
        (select s -> 'channels' ->> 0 from sequence_versions v cross join jsonb_array_elements(v.definition -> 'steps') s
          where v.id = e.version_id and s ->> 'id' = n.step_id),
        'SCHEDULED', n.at_ms, null::text, null::uuid, null::text, false, null::text, null::text, null::jsonb, null::uuid
      from enrollments e
        cross join lateral (
          select k.key as step_id, k.value::double precision as at_ms from jsonb_each_text(e.not_before) k
          where k.value::double precision > ${nowMs}
            and not exists (select from messages m where m.enrollment_id = e.id and m.step_id = k.key)
          order by 2 limit 1) n
      where e.ended_at is null and e.put_off_until > ${new Date(nowMs)} and ${ofEnrollments}) a(${columnsOf}) ${page})) a
    ${page}`);
  return rows.map((row) => ({
    key: row.key,
    ...{ id: row.id, enrollmentId: row.enrollment_id, subjectId: row.subject_id, campaignId: row.campaign_id, step: row.step_id },
    ...{ channel: isChannel(row.channel) ? row.channel : null, script: row.script, status: row.status, startedAtMs: Number(row.started_ms) },
    ...{
      variant: row.variant,
      experimentId: row.experiment_id,
      providerId: row.provider_id,
      transcript: row.transcript,
      keywords: row.keywords ?? [],
    },
    notes: notesOn(row),
  }));
}

function notesOn({ is_unknown, status, response, experiment_id: test, variant }: Row): string | null {
  const said = status === 'FAILED' || status === 'SCHEDULED' ? response : null;
  const outcome = is_unknown ? 'The provider gave no answer: it may have been accepted, and is not repeated blindly.' : said;
  const arm = test === null ? null : `Test ${test}, variant ${variant ?? ''}.`;
  return arm === null ? outcome : outcome === null ? arm : `${outcome} ${arm}`;
}
