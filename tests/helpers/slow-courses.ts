import type pg from 'pg';
import { gridMinutes } from '../../domain/statistics/time-grid.ts';

type Row = Record<string, unknown>;
interface Subject {
  id: string;
  kind: string;
  state: string;
  seen: number;
  source: string | null;
  via: string | null;
}
interface Course {
  id: string;
  subject_id: string;
  sequence_id: string;
  version_id: string;
  campaign_id: string | null;
  on: string;
  status: string;
  stop_reason: string | null;
  enrolled: number;
  activated: number | null;
  anchor: number;
  ended: number | null;
}
interface Message {
  id: string;
  enrollment_id: string;
  step_id: string;
  state: string;
  live: boolean;
  channel: string | null;
  skip_reason: string | null;
  settled: number | null;
  claimed: number | null;
  at: number;
  hour: number;
  opened: boolean;
  clicked: boolean;
  suspected: boolean;
  told: string[];
  call: string | null;
}
interface Order {
  enrollment_id: string;
  placed: number;
  reversed: boolean;
  currency: string | null;
  net: number;
}
interface Decision {
  enrollment_id: string;
  version_id: string;
  step_id: string;
  at: number;
  decided: string;
}

const dayMs = 86_400_000;
const dayOf = (ms: number) => Math.floor(ms / dayMs) * dayMs;
/** By the latest activation, then the latest id. */
const latestOf = <T extends { activated: number; id: string }>(all: readonly T[]): T | undefined =>
  all.toSorted((a, b) => a.activated - b.activated || (a.id < b.id ? -1 : 1)).at(-1);

/**
 * The truth about what became of people: every row is read, and each is counted where `db/functions/figures_of_courses.sql` says that it counts. Shares nothing with it.
 * @returns by topic, day and place (those of `courseSums` that are not empty, as JSON): its figures that are not 0
 */
export async function countCoursesSlowly(client: pg.ClientBase, tenantId: string, zone: string): Promise<Record<string, Record<string, number>>> {
  const all = async <T>(text: string, ...more: unknown[]) => (await client.query<T & Row>(text, [tenantId, ...more])).rows;
  const ms = (column: string) => `extract(epoch from ${column})::float8 * 1000`;
  const subjects = await all<Subject>(
    `select id, kind, state, ${ms('created_at')} as seen, details ->> 'source' as source, details ->> 'via' as via from subjects where tenant_id = $1`,
  );
  const courses = await all<Course>(
    `select e.id, e.subject_id, e.sequence_id, e.version_id, e.campaign_id, v.definition ->> 'on' as on, e.status, e.stop_reason, ${ms('enrolled_at')} as enrolled,
       ${ms('activated_at')} as activated, ${ms('anchor_at')} as anchor, ${ms('ended_at')} as ended
     from enrollments e join sequence_versions v on v.id = e.version_id where e.tenant_id = $1`,
  );
  const messages = await all<Message>(
    `select m.id, enrollment_id, step_id, state, live, channel, skip_reason, ${ms('settled_at')} as settled, ${ms('claimed_at')} as claimed,
       ${ms('coalesce(settled_at, claimed_at, m.created_at)')} as at, extract(hour from coalesce(settled_at, claimed_at, m.created_at) at time zone $2)::int as hour,
       opened_at is not null as opened, clicked_at is not null as clicked, suspected_open_at is not null as suspected,
       array(select v.type || case when v.machine then ' by a machine' else '' end from message_events v where v.message_id = m.id) as told,
       (select c.outcome from calls c where c.message_id = m.id) as call
     from messages m where m.tenant_id = $1`,
    zone,
  );
  const orders = await all<Order>(
    `select enrollment_id, ${ms('placed_at')} as placed, reversed_at is not null as reversed, currency,
       case when reversed_at is null then greatest(0, value_minor - refunded_minor) else 0 end::float8 as net
     from conversions where tenant_id = $1 and no_revenue is null and enrollment_id is not null`,
  );
  const decisions = await all<Decision>(
    `select enrollment_id, version_id, step_id, ${ms('at')} as at, verdict || ' ' || reason as decided from decisions where tenant_id = $1`,
  );
  const steps = await all<{ version_id: string; step_id: string; channel: string | null }>(
    `select v.id as version_id, s ->> 'id' as step_id, s #>> '{channels,0}' as channel from sequence_versions v, jsonb_array_elements(v.definition -> 'steps') s
     where v.tenant_id = $1`,
  );
  const inCampaigns = await all<{ campaign_id: string; enrollment_id: string | null; reason: string | null }>(
    'select campaign_id, enrollment_id, reason from campaign_leads where tenant_id = $1',
  );

  const found: Record<string, Record<string, number>> = {};
  const count = (place: Row, figures: Record<string, number | boolean>) => {
    const known = Object.entries(place).filter(([, value]) => value !== null && value !== '' && value !== false && value !== 0);
    const key = JSON.stringify(Object.fromEntries(known.toSorted(([a], [b]) => a.localeCompare(b))));
    for (const [name, n] of Object.entries(figures)) found[key] = { ...found[key], [name]: (found[key]?.[name] ?? 0) + Number(n) };
  };

  const lives = courses.flatMap((course) => {
    if (course.activated === null) return [];
    const own = orders.filter((order) => order.enrollment_id === course.id);
    const standing = own.filter(({ reversed }) => !reversed).map(({ placed }) => placed);
    const wonAt = standing.length > 0 ? Math.min(...standing) : own.length === 0 && course.status === 'CONVERTED' ? course.ended : null;
    const sent = messages.filter((m) => m.enrollment_id === course.id && m.skip_reason !== 'stopped');
    const out = sent
      .filter(({ state, live }) => state === 'sent' || state === 'unknown' || (state === 'claimed' && live))
      .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    return [
      { ...course, activated: course.activated, wonAt, own, sent, out, day: dayOf(course.activated), heldOut: course.stop_reason === 'holdout' },
    ];
  });
  const sourceOf = ({ kind, source }: Subject) => (kind === 'lead' ? (source ?? '') : '');
  for (const subject of subjects) {
    const mine = lives.filter((life) => life.subject_id === subject.id);
    const treated = mine.filter(({ heldOut }) => !heldOut);
    for (const life of mine) {
      const { sequence_id, day: starts_at, wonAt, heldOut, out, status } = life;
      const lost = status === 'EXITED' && wonAt === null && !heldOut;
      const imported = subject.kind === 'lead' && [subject.via, subject.source].includes('BULK');
      count(
        {
          ...{
            topic: 'course',
            starts_at,
            sequence_id,
            campaign_id: life.campaign_id,
            subject_kind: subject.kind,
            source: sourceOf(subject),
            imported,
          },
          reason: lost ? (life.stop_reason ?? 'unknown') : '',
          step_id: lost ? (out.at(-1)?.step_id ?? '') : '',
        },
        heldOut
          ? { held_out: 1 }
          : {
              ...{ cases: 1, leads: latestOf(treated.filter((one) => one.sequence_id === sequence_id)) === life, still_open: life.ended === null },
              ...{ completed: status === 'COMPLETED', converted: wonAt !== null, dropped: lost && out.length === 0 },
              amount: wonAt === null ? 0 : Math.round(wonAt - life.enrolled),
            },
      );
      if (heldOut) continue;
      const wonBy = wonAt === null ? undefined : out.findLast(({ at }) => at <= wonAt);
      const step_id = wonBy?.step_id ?? '';
      if (wonAt !== null) count({ topic: 'won', starts_at, sequence_id, step_id, slot: gridMinutes((wonAt - life.enrolled) / 1_000) }, { cases: 1 });
      if (wonAt === null && status !== 'EXITED')
        count({ topic: 'watched', starts_at, sequence_id, slot: Math.floor((life.activated - starts_at) / 3_600_000) }, { cases: 1 });
      else {
        const reason = wonAt === null ? (life.stop_reason ?? 'unknown') : 'converted';
        count(
          { topic: 'end', starts_at, sequence_id, reason, slot: gridMinutes(((wonAt ?? life.ended ?? 0) - life.activated) / 1_000) },
          { cases: 1 },
        );
      }
      for (const order of life.own)
        if (order.currency !== null) count({ topic: 'revenue', starts_at, sequence_id, step_id, currency: order.currency }, { amount: order.net });
      for (const m of life.sent) {
        const went = out.includes(m);
        const isLast = out.at(-1) === m;
        count(
          {
            ...{
              topic: 'step',
              starts_at,
              sequence_id,
              version_id: life.version_id,
              step_id: m.step_id,
              channel: went ? m.channel : '',
              reason: m.skip_reason,
            },
            slot: went ? Math.floor(m.hour / 6) : 0,
          },
          {
            ...{
              cases: 1,
              executed: went,
              failed: m.state === 'failed',
              delivered: m.told.some((told) => told.startsWith('delivered')),
              opened: m.opened,
            },
            ...{
              machine_opened: !m.opened && (m.suspected || m.told.includes('opened by a machine')),
              clicked: m.clicked,
              answered: m.call === 'answered',
            },
            ...{ replied: life.stop_reason === 'replied' && isLast, converted: wonBy === m, dropped: lost && isLast },
          },
        );
      }
    }
    countSilences(subject, treated, count);
    for (const { id } of mine) {
      const own = decisions.filter((one) => one.enrollment_id === id);
      for (const step of new Set(own.map((one) => `${one.version_id} ${one.step_id}`))) {
        const about = own.filter((one) => `${one.version_id} ${one.step_id}` === step);
        const { channel = null } = steps.find((one) => `${one.version_id} ${one.step_id}` === step) ?? {};
        const [putOff, leftOut] = ['defer cap', 'skip capped'].map((what) => about.some(({ decided }) => decided === what));
        count(
          { topic: 'cap', starts_at: dayOf(Math.min(...about.map((one) => one.at))), channel },
          { cases: 1, executed: putOff === true, failed: leftOut === true, dropped: putOff === true || leftOut === true },
        );
      }
    }
    const contacted = treated.filter(({ out }) => out.length > 0);
    const day = dayOf(subject.seen);
    count(
      { topic: 'funnel', starts_at: day, subject_kind: subject.kind },
      {
        ...{ leads: 1, executed: contacted.length > 0, converted: contacted.length > 0 && treated.some(({ wonAt }) => wonAt !== null) },
        replied: contacted.some(
          ({ out, stop_reason }) => stop_reason === 'replied' || out.some(({ clicked, call }) => clicked || call === 'answered'),
        ),
      },
    );
    if (contacted.length > 0)
      for (const { own } of treated)
        for (const { currency, net } of own)
          if (currency !== null) count({ topic: 'funnel', starts_at: day, subject_kind: subject.kind, currency }, { amount: net });
  }
  for (const { campaign_id, ended, status } of courses)
    if (campaign_id !== null)
      count({ topic: 'campaign', starts_at: 0, campaign_id }, { still_open: ended === null, converted: status === 'CONVERTED' });
  for (const { campaign_id, enrollment_id, reason } of inCampaigns) {
    const status = courses.find(({ id }) => id === enrollment_id)?.status ?? '';
    count(
      { topic: 'campaign', starts_at: 0, campaign_id, reason },
      { cases: reason !== null, leads: enrollment_id === null, dropped: ['EXITED', 'COMPLETED'].includes(status) },
    );
  }
  return comparable(found);
}

/** The people on whose steps a cap acted, by the channel of the step: of those that were first decided about then or later. */
export async function countHeldUpSlowly(client: pg.ClientBase, tenantId: string, from: string): Promise<{ channel: string; people: number }[]> {
  const { rows } = await client.query<{ person: string; channel: string | null; decided: string[]; first: number }>(
    `select c.person_id as person, array_agg(d.verdict || ' ' || d.reason) as decided, extract(epoch from min(d.at))::float8 * 1000 as first,
       (select s #>> '{channels,0}' from sequence_versions v, jsonb_array_elements(v.definition -> 'steps') s where v.id = d.version_id and s ->> 'id' = d.step_id) as channel
     from decisions d join enrollments e on e.id = d.enrollment_id join contacts c on c.id = e.contact_id
     where d.tenant_id = $1 and e.activated_at is not null group by e.id, c.person_id, d.version_id, d.step_id`,
    [tenantId],
  );
  const held = rows.filter(({ decided, first }) => first >= Date.parse(from) && decided.some((one) => ['defer cap', 'skip capped'].includes(one)));
  return [...new Set(held.map(({ channel }) => channel ?? ''))]
    .toSorted((a, b) => a.localeCompare(b))
    .map((channel) => ({ channel, people: new Set(held.filter((row) => (row.channel ?? '') === channel).map(({ person }) => person)).size }));
}

type Life = Course & { activated: number; day: number; sent: Message[] };
function countSilences(subject: Subject, treated: readonly Life[], count: (place: Row, figures: Record<string, number | boolean>) => void): void {
  if (subject.kind !== 'lead') return;
  const silences = treated
    .filter(({ on }) => on === 'lead.silent')
    .map((life) => {
      const out = life.sent.filter(({ state, channel }) => ['sent', 'unknown'].includes(state) && channel !== null);
      const steps = out
        .toSorted((a, b) => (a.settled ?? Infinity) - (b.settled ?? Infinity) || (a.id < b.id ? -1 : 1))
        .map(({ step_id: step }) => step);
      const times = out.map(({ settled, claimed }) => settled ?? claimed ?? -Infinity);
      const lastAt = Math.max(-Infinity, ...times);
      const answered = ['replied', 'purchased'].includes(life.stop_reason ?? '') && life.ended !== null && Number.isFinite(lastAt);
      return { ...life, steps, answered: answered && lastAt < (life.ended ?? 0) && (life.ended ?? 0) <= lastAt + 30 * dayMs };
    });
  for (const silence of silences) {
    const { day: starts_at, sequence_id, version_id, answered, steps } = silence;
    const isLatestAnswer = answered && latestOf(silences.filter((one) => one.answered)) === silence;
    const tookMs = Math.round((silence.ended ?? 0) - silence.anchor);
    count(
      { topic: 'silence', starts_at },
      {
        ...{
          leads: latestOf(silences) === silence,
          replied: isLatestAnswer,
          converted: isLatestAnswer && subject.state === 'converted',
          cases: answered,
        },
        ...(answered ? { amount: tookMs, squares: tookMs ** 2 } : {}),
      },
    );
    for (const step_id of steps) {
      const having = silences.filter((one) => one.sequence_id === sequence_id && one.steps.includes(step_id));
      const cameBack = having.filter((one) => one.answered && one.steps.at(-1) === step_id);
      count(
        { topic: 'silence_step', starts_at, sequence_id, version_id, step_id },
        { leads: latestOf(having) === silence, replied: latestOf(cameBack) === silence },
      );
    }
  }
}

/** Without figures that are 0, and without places that have no others. */
export function comparable(found: Record<string, Record<string, number>>): Record<string, Record<string, number>> {
  const places = Object.entries(found).map(
    ([place, figures]) => [place, Object.fromEntries(Object.entries(figures).filter(([, n]) => n !== 0))] as const,
  );
  return Object.fromEntries(places.filter(([, figures]) => Object.keys(figures).length > 0));
}
