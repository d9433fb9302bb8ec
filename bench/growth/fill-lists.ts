import type pg from 'pg';
import type { Place } from './fill.ts';

/** How many entries of each rare kind there are. All of them are the oldest of their table: a list that is read from its newest end meets them last. */
const rare = 20;
const oftenPublished = 250;

/** What the lists of `bench/lists.ts` and of the hot-paths test are about besides carts. */
export interface Listed {
  endpointId: string;
  campaignId: string;
  importId: string;
}

/**
 * Entries of every list that grows with a store, nearly all of them alike, and a few exceptions among the oldest: messages that failed, enrollments that
 * left, tasks that are still open. Call it after `fillHistory` and `fillAsleep`, as the owner.
 * @param count - how many rows each table gets that `fillHistory` leaves empty
 */
export async function fillLists(owner: pg.Client, place: Place, count: number): Promise<Listed> {
  const t = `'${place.tenantId}'::uuid`;
  const { rows: ids } = await owner.query<{ id: string }>('select gen_random_uuid() as id from generate_series(1, 4)');
  const [endpointId = '', campaignId = '', importId = '', targetId = ''] = ids.map((row) => row.id);
  await owner.query(`set session_replication_role = replica; set synchronous_commit = off;
    create or replace function pg_temp.old(n bigint) returns timestamptz language sql immutable as $$
      select date_trunc('milliseconds', timestamptz '2025-01-01 00:00:00+00' + (n * interval '200 days') / ${count}) $$;
    create or replace function pg_temp.aged(kind int, n bigint) returns uuid language sql immutable as $$
      select (lpad(to_hex((extract(epoch from pg_temp.old(n)) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$;`);
  const id = (kind: number) => `pg_temp.aged(${kind}, n)`;
  const at = 'pg_temp.old(n)';
  /** The exceptions in turn, then what is usual. */
  const either = (usual: string, ...exceptions: string[]) =>
    `case when n <= ${rare * exceptions.length} then (array['${exceptions.join("', '")}'])[1 + (n - 1) % ${exceptions.length}] else '${usual}' end`;
  const series = `from generate_series(1, ${count}) n`;
  const some = (table: string) => `(select array_agg(id) from (select id from ${table} where tenant_id = ${t} order by id limit 1000) o)`;
  const [subject, enrollment, delivery] = [some('subjects'), some('enrollments'), some('inbox')];
  const statements = [
    `insert into campaigns (tenant_id, id, name) values (${t}, '${campaignId}', 'Bench')`,
    `insert into imports (tenant_id, id, source, requested_by, state) values (${t}, '${importId}', 'BULK', 'bench', 'done')`,
    `insert into webhook_endpoints (tenant_id, id, url, secrets) values (${t}, '${endpointId}', 'https://hooks.example.com/', '[]')`,
    `insert into notification_targets (tenant_id, id, channel, sealed_config, removed_at) values (${t}, '${targetId}', 'email', '', now())`,
    `insert into campaign_leads (tenant_id, campaign_id, subject_id, came_by) select ${t}, '${campaignId}', s.id, 'bulk'
     from (select id from subjects where tenant_id = ${t} order by id limit ${count}) s`,
    `insert into import_errors (tenant_id, id, import_id, line, reason, taken_in) select ${t}, ${id(0x32)}, '${importId}', n, 'no_address', false ${series}`,
    `insert into audit_log (tenant_id, id, at, actor, action, subject)
     select ${t}, ${id(0x33)}, ${at}, ${either('api_key:usual', 'rare')}, ${either('enrollment.stop', 'rare.action')}, md5(n::text) ${series}`,
    `insert into tasks (tenant_id, id, kind, owner, state, due_at, created_at)
     select ${t}, ${id(0x34)}, ${either('question', 'rare')}, ${either('usual', 'rare')}, ${either('done', 'open', 'dismissed')}, ${at}, ${at} ${series}`,
    `insert into notifications (tenant_id, id, task_id, target_id, cause, state, created_at)
     select ${t}, ${id(0x35)}, ${id(0x34)}, '${targetId}', 'opened', ${either('sent', 'waiting', 'calling', 'unknown', 'parked', 'dropped')}, ${at} ${series}`,
    `insert into offers (tenant_id, id, enrollment_id, step_id, contact_id, code, percent_off, source, state, granted_at, ends_at)
     select ${t}, ${id(0x36)}, (e.ids)[1 + n % 1000], 'step-' || n, ${id(0x36)}, 'CODE-' || n, 10, 'pool', ${either('minted', 'granted', 'refused', 'revoked')}, ${at}, ${at}
     from generate_series(1, ${count}) n, ${enrollment} e(ids)`,
    `insert into facts (tenant_id, id, kind, subject, value, source, observed_at, expires_at)
     select ${t}, ${id(0x37)}, ${either('stock', 'price', 'review', 'market', 'offer_end')}, 'product-' || n, '{}', 'bench', ${at},
       case when n <= ${rare} then timestamptz '2200-01-01' else ${at} + interval '1 hour' end ${series}`,
    `insert into risk_assessments (tenant_id, id, subject_id, at, by, rules_because, basis, score, band, band_before, factors, thresholds, prediction, cause)
     select ${t}, ${id(0x38)}, (s.ids)[1 + n % 1000], ${at}, 'rules', 'no_model', 'rank', n::double precision / ${count}, ${either('none', 'early', 'active', 'critical')}, 'none', '[]',
       '{"version":0,"early":0.3,"active":0.6,"critical":0.8}', '{"what":"no_purchase","withinDays":60}', 'asked' from generate_series(1, ${count}) n, ${subject} s(ids)`,
    `insert into compositions (tenant_id, id, enrollment_id, step_id, state, approval, channel, language, fingerprint, model, body, due_at, is_over)
     select ${t}, ${id(0x39)}, (e.ids)[1 + n % 1000], 'step-' || n, ${either('ready', 'calling', 'failed', 'ready', 'ready', 'ready')},
       case when n <= ${5 * rare} then (array[null, null, 'pending', 'approved', 'rejected'])[1 + (n - 1) % 5] end, 'email', 'en', '', 'bench', 'Hello.',
       ${at}, n > ${rare} from generate_series(1, ${count}) n, ${enrollment} e(ids)`,
    `insert into quarantine (tenant_id, id, connection_id, inbox_id, topic, reason, body, received_at, released_at, dismissed_at)
     select ${t}, ${id(0x3a)}, '${place.connectionId}', (i.ids)[1 + n % 1000], 'cart.updated', 'bench', '', ${at}, case when n % 3 = 0 and n <= ${3 * rare} then null else ${at} end,
       case when n % 3 = 1 and n <= ${3 * rare} then ${at} end
     from generate_series(1, ${count}) n, ${delivery} i(ids)`,
    `insert into lead_conversions (tenant_id, id, connection_id, click, status, outcome, reported_at, subject_id, matched_at, matched_by, campaign_id)
     select ${t}, ${id(0x3b)}, '${place.connectionId}', 'click-' || n, 'x', ${either('sale', 'rebill', 'reject', 'lead', 'registration', 'other')}, ${at},
       case when n > ${rare} then (s.ids)[1 + n % 1000] end, case when n > ${rare} then ${at} end, case when n > ${rare} then 'report' end,
       case when n between ${rare + 1} and ${2 * rare} then '${campaignId}'::uuid end
     from generate_series(1, ${count}) n, ${subject} s(ids)`,
    `insert into erasures (tenant_id, id, contact_id, state, origin, requested_by)
     select ${t}, ${id(0x3c)}, ${id(0x3c)}, ${either('done', 'running', 'incomplete')}, 'request', 'bench' ${series}`,
    `insert into webhook_events (tenant_id, id, source, at, type, expanded_at)
     select ${t}, ${id(0x3d)}, 'bench', ${at}, ${either('message.sent', 'cart.updated', 'task.opened')}, ${at} ${series}`,
    `insert into webhook_deliveries (tenant_id, id, event_id, endpoint_id, type, state, created_at)
     select ${t}, ${id(0x3e)}, ${id(0x3d)}, '${endpointId}', ${either('message.sent', 'cart.updated', 'task.opened')}, ${either('delivered', 'waiting', 'held', 'failed')}, ${at} ${series}`,
    `insert into contact_merges (tenant_id, id, kept_contact_id, merged_contact_id, brought_by, contact_ids, moved, ended_enrollment_ids)
     select ${t}, ${id(0x3f)}, ${id(0x3f)}, ${id(0x40)}, 'hand', '{}',
       '{"identities":[],"subjects":[],"enrollments":[],"consents":[]}', '{}' ${series}`,
    // The exceptions among what `fillHistory` and `fillAsleep` have written.
    `update messages m set state = x.state, live = x.state = 'claimed', channel = x.channel, step_id = coalesce(x.step, m.step_id) from (
       select id, (array['failed', 'skipped', 'claimed', 'unknown', 'sent', 'sent'])[1 + n % 6] as state,
         case when n % 6 = 4 then 'sms' else 'email' end as channel, case when n % 6 = 5 and step_id = 'email_2h' then 'rare_step' end as step
       from (select id, step_id, row_number() over (order by id) as n from messages where tenant_id = ${t} order by id limit ${6 * rare}) o) x where m.tenant_id = ${t} and m.id = x.id`,
    `update decisions d set verdict = x.verdict, reason = x.reason, step_id = x.step from (
       select id, (array['defer', 'hold', 'skip', 'stop', 'send', 'send'])[1 + n % 6] as verdict,
         (array['quiet_hours', 'paused', 'no_channel', 'purchased', 'sms', 'email'])[1 + n % 6] as reason, case when n % 6 = 5 then 'rare_step' else 'email_2h' end as step
       from (select id, row_number() over (order by id) as n from decisions where tenant_id = ${t} order by id limit ${6 * rare}) o) x where d.tenant_id = ${t} and d.id = x.id`,
    `update enrollments e set status = 'EXITED', stop_reason = 'manual' from (
       select id from enrollments where tenant_id = ${t} and ended_at is not null order by id limit ${rare}) o where e.tenant_id = ${t} and e.id = o.id`,
    `update enrollments e set status = 'PAUSED', held = 'paused' from (
       select id from enrollments where tenant_id = ${t} and ended_at is null order by id limit ${rare}) o where e.tenant_id = ${t} and e.id = o.id`,
    `update enrollments e set not_before = jsonb_build_object('email_2h', 7258118400000), put_off_until = timestamptz '2200-01-01' from (
       select id from enrollments where tenant_id = ${t} and ended_at is null order by id limit ${rare}) o where e.tenant_id = ${t} and e.id = o.id`,
    `update subjects s set state = case when n % 2 = 0 then 'gone' else s.state end, kind = case when n % 2 = 1 then 'lead' else s.kind end from (
       select id, row_number() over (order by id) as n from subjects where tenant_id = ${t} order by id limit ${2 * rare}) o where s.tenant_id = ${t} and s.id = o.id`,
  ];
  for (const statement of [...statements, ...interventions(t, count, either), ...leads(t, count)]) await owner.query(statement);
  await owner.query(`insert into open_counts (tenant_id, sequence_id, version_id, change, folded)
    select tenant_id, sequence_id, version_id, count(*), true from enrollments e where tenant_id = ${t} and ended_at is null group by 1, 2, 3
    on conflict (tenant_id, version_id) where folded do update set change = excluded.change`);
  await owner.query(`update imports i set mistakes = ${count} where i.id = '${importId}'`);
  await owner.query('set session_replication_role = origin; set synchronous_commit = on');
  await owner.query('vacuum (analyze)');
  return { endpointId, campaignId, importId };
}

/** Sequences about leads that are older than everything about carts: half of them run, half are over. */
function leads(t: string, count: number): string[] {
  const series = `from generate_series(1, ${count}) n`;
  const at = `(timestamptz '2024-01-01 00:00:00+00' + n * interval '1 minute')`;
  const id = (kind: string) =>
    `(lpad(to_hex((extract(epoch from ${at}) * 1000)::bigint), 12, '0') || '7${kind}8000' || lpad(to_hex(n), 12, '0'))::uuid`;
  return [
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, subject_kind, segment, status, sequence_type, time_scale, anchor_at, activated_at,
       enrolled_at, ended_at)
     select ${t}, ${id('047')}, s.id, s.current_version_id, ${id('048')}, ${id('049')}, 'lead', 'lead', case when n % 2 = 0 then 'ACTIVE' else 'COMPLETED' end, 'first_time', 1,
       ${at}, ${at}, ${at}, case when n % 2 = 1 then ${at} + interval '3 days' end
     ${series} join sequences s on s.tenant_id = ${t} and s.slug = 'lead-nurture'`,
    `insert into enrollment_events (tenant_id, id, enrollment_id, type, at, data) select ${t}, ${id('04a')}, ${id('047')}, 'enrolled', ${at}, '{}' ${series}`,
  ];
}

/** Sequences about accounts at risk among those of carts, all of them over, most of them of one band: each with a message and a task. */
function interventions(t: string, count: number, either: (usual: string, ...exceptions: string[]) => string): string[] {
  const series = `from generate_series(1, ${count}) n`;
  const at = 'pg_temp.begun(n)';
  const id = (kind: number) => `pg_temp.begun_as(${kind}, n)`;
  return [
    `create or replace function pg_temp.begun(n bigint) returns timestamptz language sql stable as $$
       select date_trunc('milliseconds', now() - interval '360 days' + n * interval '320 days' / ${count}) $$`,
    `create or replace function pg_temp.begun_as(kind int, n bigint) returns uuid language sql stable as $$
       select (lpad(to_hex((extract(epoch from pg_temp.begun(n)) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$`,
    'begin',
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, subject_kind, segment, status, sequence_type, time_scale, anchor_at, activated_at,
       enrolled_at, ended_at)
     select ${t}, ${id(0x41)}, s.id, s.current_version_id, ${id(0x42)}, ${id(0x43)}, 'account', 'early', 'COMPLETED', 'first_time', 1, ${at}, ${at}, ${at},
       ${at} + interval '3 days'
     ${series} join sequences s on s.tenant_id = ${t} and s.slug = ${either('churn-early', 'churn-critical', 'churn-active')}`,
    // A sequence that was published often.
    `insert into sequence_versions (tenant_id, id, sequence_id, version, definition, content, source_hash, published_by)
     select v.tenant_id, md5('version ' || k)::uuid, v.sequence_id, v.version + k, v.definition, '{}', v.source_hash, 'bench'
     from sequences s join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id, generate_series(1, ${oftenPublished}) k
     where s.tenant_id = ${t} and s.slug = 'churn-early'`,
    `update enrollments e set version_id = md5('version ' || 1 + x.n % ${oftenPublished})::uuid
     from (select o.id, row_number() over (order by o.id) as n from enrollments o join sequences s on s.tenant_id = ${t} and s.id = o.sequence_id and s.slug = 'churn-early'
       where o.tenant_id = ${t}) x where e.tenant_id = ${t} and e.id = x.id`,
    `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, settled_at, channel, payload, created_at)
     select ${t}, ${id(0x44)}, ${id(0x41)}, 'email', ${id(0x42)}, 'sent', ${at}, 'email', 'null', ${at} ${series}`,
    `insert into tasks (tenant_id, id, kind, owner, state, due_at, created_at, enrollment_id, send_key)
     select ${t}, ${id(0x45)}, 'question', 'usual', 'done', ${at}, ${at}, ${id(0x41)}, ${id(0x41)} || ':call' ${series}`,
    `insert into enrollment_events (tenant_id, id, enrollment_id, type, at, data)
     select ${t}, ${id(0x46)}, ${id(0x41)}, 'enrolled', ${at}, '{}' ${series}`,
    'commit',
  ];
}
