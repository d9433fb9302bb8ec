-- What became of these subjects in sequences, in rows to be summed up: JSON with the columns of `course_sums` that are not what they have by themselves. What counts
-- is an enrollment that was activated; the day is that of its activation.
--   course        of a sequence, campaign and source: enrollments (`cases`), those held out (in nothing else), the latest of each subject (`leads`), how they stand,
--                 `reason` of an exit without conversion and the last message that went out before it (`step_id`), `dropped` before one went out, `amount` from the enrollment to the conversion in milliseconds
--   won           by the time from the enrollment to the conversion (`slot`, minutes as `grid_minutes` rounds them) and the last message that went out before it (`step_id`)
--   end           by cause (`reason`) and the time from the activation to it (`slot`, as above)
--   watched       without an end: by the hour of the day of the activation (`slot`, hours of the tenant's time)
--   step          of a version and step, by channel, reason of a skip and part of the store's day (`slot`, six hours each): what was decided and what came of it
--   revenue       net amounts of the orders that are credited to them, by the step of `won`
--   silence       of silent leads: the latest silence of each (`leads`), the latest that they answered (`replied`), those that bought then or later (`converted`), all
--                 answers (`cases`) with the time from the last contact (`amount`, milliseconds)
--   silence_step  the latest silence of each in which the step went out (`leads`), and in which it was the last and was answered (`replied`)
--   funnel        by the day on which the subject was first seen: `leads`, contacted (`executed`), responded (`replied`), `converted`; `amount` by currency of those contacted
--   cap           by the day on which a step was first decided about and its first channel: steps (`cases`), those that a cap put off (`executed`), left out (`failed`), either (`dropped`)
--   campaign      whatever the day: its enrollments that are open or converted, and of its leads those refused, by reason (`cases`), not enrolled (`leads`), gone (`dropped`)
-- Planned anew at each call: a plan for any number of subjects would compare each row of one step with all rows of the next.
-- Source: docs/adr/0110-what-became-of-people-is-kept.md
create function figures_of_courses(tenant uuid, ids uuid[]) returns table (subject_id uuid, figure jsonb)
language plpgsql stable set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
begin
  return query
  with store as materialized (
    select t.time_scale, coalesce(t.settings ->> 'timeZone', 'UTC') as time_zone from public.tenants t where t.id = tenant),
  s as materialized (
    select j.id, coalesce(j.kind, 'cart') as kind, j.state, j.created_at, case when j.kind = 'lead' then coalesce(j.details ->> 'source', '') else '' end as source,
      j.kind = 'lead' and 'BULK' in (coalesce(j.details ->> 'via', ''), coalesce(j.details ->> 'source', '')) as imported
    from public.subjects j where j.tenant_id = tenant and j.id = any(ids)),
  e as materialized (
    select x.id, x.subject_id, x.sequence_id, x.version_id, x.campaign_id, x.status, x.stop_reason, x.enrolled_at, x.activated_at, x.anchor_at, x.ended_at,
      coalesce(o.placed_at, case when x.status = 'CONVERTED' and o.credited = 0 then x.ended_at end) as converted_at,
      date_trunc('day', x.activated_at, 'UTC') as day, s.kind, s.source, s.imported, s.state as subject_state, x.stop_reason is not distinct from 'holdout' as held_out,
      x.stop_reason is distinct from 'holdout' and row_number() over (partition by x.subject_id, x.sequence_id
        order by (x.stop_reason is distinct from 'holdout') desc, x.activated_at desc, x.id desc) = 1 as latest_of_sequence
    from s join public.enrollments x on x.tenant_id = tenant and x.subject_id = s.id and x.activated_at is not null
      cross join lateral (
        select min(c.placed_at) filter (where c.reversed_at is null) as placed_at, count(*) as credited
        from public.conversions c where c.tenant_id = tenant and c.enrollment_id = x.id and c.no_revenue is null) o),
  m as materialized (
    select k.id, k.enrollment_id, k.step_id, k.state, k.channel, k.skip_reason, k.settled_at, k.claimed_at, k.opened_at, k.clicked_at, k.suspected_open_at, k.created_at as made_at,
      coalesce(k.settled_at, k.claimed_at, k.created_at) as at, k.state in ('sent', 'unknown') or (k.state = 'claimed' and k.live) as went_out,
      (select l.outcome from public.calls l where l.tenant_id = tenant and l.message_id = k.id) as call
    from e join public.messages k on k.tenant_id = tenant and k.enrollment_id = e.id
    where not e.held_out and k.skip_reason is distinct from 'stopped'),
  behind as materialized (
    select e.id, (array_agg(m.id order by m.at desc, m.id desc) filter (where m.at <= e.converted_at))[1] as won_by,
      (array_agg(m.step_id order by m.at desc, m.id desc) filter (where m.at <= e.converted_at))[1] as won_step,
      (array_agg(m.id order by m.at desc, m.id desc) filter (where m.id is not null))[1] as last_one,
      (array_agg(m.step_id order by m.at desc, m.id desc) filter (where m.id is not null))[1] as last_step
    from e left join m on m.enrollment_id = e.id and m.went_out group by e.id),
  amounts as materialized (
    select e.id, e.subject_id, e.sequence_id, e.day, e.held_out, f.currency, sum(f.net_minor)::bigint as net
    from e join public.conversions c on c.tenant_id = tenant and c.enrollment_id = e.id cross join lateral public.figures_of_order(c) f
    where f.currency <> '' and not e.held_out group by 1, 2, 3, 4, 5, 6),
  written as materialized (
    select m.enrollment_id, array_agg(m.step_id order by m.settled_at, m.id) as steps, max(coalesce(m.settled_at, m.claimed_at)) as last_at
    from m where m.state in ('sent', 'unknown') and m.channel is not null group by 1),
  silences as materialized (
    select e.*, g.steps, coalesce(e.stop_reason in ('replied', 'purchased') and g.last_at < e.ended_at
        and e.ended_at <= g.last_at + make_interval(secs => 30 * 86400 / store.time_scale), false) as responded
    from store cross join e left join written g on g.enrollment_id = e.id
    where not e.held_out and e.kind = 'lead' and e.version_id = any(array(
      select v.id from public.sequence_versions v
      where v.tenant_id = tenant and v.id in (select n.version_id from e n) and v.definition ->> 'on' = 'lead.silent'))),
  latest_silences as (
    select x.*, row_number() over (partition by x.subject_id order by x.activated_at desc, x.id desc) = 1 as latest,
      x.responded and row_number() over (partition by x.subject_id order by x.responded desc, x.activated_at desc, x.id desc) = 1 as latest_answer,
      row_number() over (partition by x.subject_id order by x.responded desc, x.activated_at desc, x.id desc) = 1 and x.responded and x.subject_state = 'converted' as bought
    from silences x),
  silent_steps as (
    select x.subject_id, x.sequence_id, x.version_id, x.day, t.step_id,
      row_number() over (partition by x.subject_id, x.sequence_id, t.step_id order by x.activated_at desc, x.id desc) = 1 as latest,
      x.responded and t.n = cardinality(x.steps) as back,
      row_number() over (partition by x.subject_id, x.sequence_id, t.step_id
        order by (x.responded and t.n = cardinality(x.steps)) desc, x.activated_at desc, x.id desc) = 1 as latest_back
    from silences x cross join lateral unnest(x.steps) with ordinality t(step_id, n)),
  decided as materialized (
    select e.subject_id, d.version_id, d.step_id, min(d.at) as at, bool_or(d.reason = 'cap' and d.verdict = 'defer') as put_off, bool_or(d.reason = 'capped' and d.verdict = 'skip') as left_out
    from e join public.decisions d on d.tenant_id = tenant and d.enrollment_id = e.id group by e.subject_id, d.enrollment_id, d.version_id, d.step_id),
  channels as materialized (
    select distinct on (v.id, t.step ->> 'id') v.id as version_id, t.step ->> 'id' as step_id, t.step -> 'channels' ->> 0 as channel
    from public.sequence_versions v cross join lateral jsonb_array_elements(v.definition -> 'steps') t(step)
    where v.tenant_id = tenant and v.id in (select d.version_id from decided d)),
  contacted as materialized (
    select e.subject_id, bool_or(m.clicked_at is not null or m.call = 'answered' or e.stop_reason = 'replied') as responded
    from e join m on m.enrollment_id = e.id and m.went_out group by 1),
  rows as (
    select e.subject_id, jsonb_build_object('topic', 'course', 'starts_at', e.day, 'sequence_id', e.sequence_id, 'campaign_id', e.campaign_id, 'subject_kind', e.kind,
      'source', nullif(e.source, ''), 'imported', nullif(e.imported, false), 'reason', case when e.status = 'EXITED' and e.converted_at is null and not e.held_out
        then coalesce(e.stop_reason, 'unknown') end,
      'step_id', case when e.status = 'EXITED' and e.converted_at is null then b.last_step end,
      'cases', nullif((not e.held_out)::int, 0), 'leads', nullif(e.latest_of_sequence::int, 0), 'held_out', nullif(e.held_out::int, 0),
      'still_open', nullif((not e.held_out and e.ended_at is null)::int, 0), 'completed', nullif((not e.held_out and e.status = 'COMPLETED')::int, 0),
      'converted', nullif((not e.held_out and e.converted_at is not null)::int, 0),
      'dropped', nullif((not e.held_out and e.status = 'EXITED' and e.converted_at is null and b.last_one is null)::int, 0),
      'amount', case when not e.held_out then (extract(epoch from e.converted_at - e.enrolled_at) * 1000)::bigint end) as figure
    from e join behind b on b.id = e.id
    union all
    select e.subject_id, jsonb_build_object('topic', 'won', 'starts_at', e.day, 'sequence_id', e.sequence_id, 'step_id', b.won_step, 'cases', 1,
      'slot', public.grid_minutes(extract(epoch from e.converted_at - e.enrolled_at)::float8 * store.time_scale))
    from store cross join e join behind b on b.id = e.id where not e.held_out and e.converted_at is not null
    union all
    select e.subject_id, case when e.converted_at is null and e.status <> 'EXITED' then jsonb_build_object('topic', 'watched', 'starts_at', e.day, 'sequence_id', e.sequence_id,
        'cases', 1, 'slot', floor(extract(epoch from e.activated_at - e.day)::float8 * store.time_scale / 3600)::int)
      else jsonb_build_object('topic', 'end', 'starts_at', e.day, 'sequence_id', e.sequence_id, 'cases', 1,
        'reason', case when e.converted_at is not null then 'converted' else coalesce(e.stop_reason, 'unknown') end,
        'slot', public.grid_minutes(extract(epoch from coalesce(e.converted_at, e.ended_at) - e.activated_at)::float8 * store.time_scale)) end
    from store cross join e where not e.held_out
    union all
    select e.subject_id, jsonb_build_object('topic', 'step', 'starts_at', e.day, 'sequence_id', e.sequence_id, 'version_id', e.version_id, 'step_id', m.step_id,
      'channel', case when m.went_out then m.channel end, 'reason', m.skip_reason,
      'slot', case when m.went_out then extract(hour from m.at at time zone store.time_zone)::int / 6 end,
      'cases', 1, 'executed', nullif(m.went_out::int, 0), 'failed', nullif((m.state = 'failed')::int, 0), 'delivered', nullif(coalesce(told.delivered, false)::int, 0),
      'opened', nullif((m.opened_at is not null)::int, 0),
      'machine_opened', nullif((m.opened_at is null and (m.suspected_open_at is not null or coalesce(told.machine, false)))::int, 0),
      'clicked', nullif((m.clicked_at is not null)::int, 0),
      'replied', nullif((e.stop_reason is not distinct from 'replied' and b.last_one is not distinct from m.id)::int, 0), 'answered', nullif((m.call is not distinct from 'answered')::int, 0),
      'converted', nullif((b.won_by is not distinct from m.id and m.went_out)::int, 0),
      'dropped', nullif((e.status = 'EXITED' and e.converted_at is null and b.last_one is not distinct from m.id and m.went_out)::int, 0))
    from store cross join e join m on m.enrollment_id = e.id join behind b on b.id = e.id
      cross join lateral (
        select bool_or(v.type = 'delivered') as delivered, bool_or(v.type = 'opened' and v.machine) as machine
        from public.message_events v where v.tenant_id = tenant and v.message_id = m.id
          -- So that older partitions are left alone; a day for clocks that differ.
          and v.occurred_at > m.made_at - interval '1 day') told
    union all
    select a.subject_id, jsonb_build_object('topic', 'revenue', 'starts_at', a.day, 'sequence_id', a.sequence_id, 'step_id', b.won_step, 'currency', a.currency, 'amount', a.net)
    from amounts a join behind b on b.id = a.id
    union all
    select x.subject_id, jsonb_build_object('topic', 'silence', 'starts_at', x.day, 'leads', nullif(x.latest::int, 0), 'replied', nullif(x.latest_answer::int, 0),
      'converted', nullif(x.bought::int, 0), 'cases', nullif(x.responded::int, 0),
      'amount', case when x.responded then (extract(epoch from x.ended_at - x.anchor_at) * 1000)::bigint end,
      'squares', case when x.responded then power(extract(epoch from x.ended_at - x.anchor_at)::float8 * 1000, 2) end)
    from latest_silences x
    union all
    select x.subject_id, jsonb_build_object('topic', 'silence_step', 'starts_at', x.day, 'sequence_id', x.sequence_id, 'version_id', x.version_id, 'step_id', x.step_id,
      'leads', nullif(x.latest::int, 0), 'replied', nullif((x.back and x.latest_back)::int, 0))
    from silent_steps x where x.latest or (x.back and x.latest_back)
    union all
    select s.id, jsonb_build_object('topic', 'funnel', 'starts_at', date_trunc('day', s.created_at, 'UTC'), 'subject_kind', s.kind, 'leads', 1,
      'executed', case when k.subject_id is not null then 1 end, 'replied', nullif(coalesce(k.responded, false)::int, 0),
      'converted', case when k.subject_id is not null and exists (select from e where e.subject_id = s.id and not e.held_out and e.converted_at is not null) then 1 end)
    from s left join contacted k on k.subject_id = s.id
    union all
    select s.id, jsonb_build_object('topic', 'funnel', 'starts_at', date_trunc('day', s.created_at, 'UTC'), 'subject_kind', s.kind, 'currency', a.currency, 'amount', sum(a.net))
    from s join contacted k on k.subject_id = s.id join amounts a on a.subject_id = s.id group by s.id, s.created_at, s.kind, a.currency
    union all
    select d.subject_id, jsonb_build_object('topic', 'cap', 'starts_at', date_trunc('day', d.at, 'UTC'), 'channel', k.channel, 'cases', count(*),
      'executed', nullif(count(*) filter (where d.put_off), 0), 'failed', nullif(count(*) filter (where d.left_out), 0),
      'dropped', nullif(count(*) filter (where d.put_off or d.left_out), 0))
    from decided d left join channels k on (k.version_id, k.step_id) = (d.version_id, d.step_id)
    group by d.subject_id, date_trunc('day', d.at, 'UTC'), k.channel
    union all
    select x.subject_id, jsonb_build_object('topic', 'campaign', 'starts_at', timestamptz 'epoch', 'campaign_id', x.campaign_id,
      'still_open', nullif((x.ended_at is null)::int, 0), 'converted', nullif((x.status = 'CONVERTED')::int, 0))
    from public.enrollments x where x.tenant_id = tenant and x.subject_id = any(ids) and x.campaign_id is not null
    union all
    select l.subject_id, jsonb_build_object('topic', 'campaign', 'starts_at', timestamptz 'epoch', 'campaign_id', l.campaign_id, 'reason', l.reason,
      'cases', case when l.reason is not null then 1 end, 'leads', case when l.enrollment_id is null then 1 end,
      'dropped', case when x.status in ('EXITED', 'COMPLETED') then 1 end)
    from public.campaign_leads l left join public.enrollments x on x.tenant_id = tenant and x.id = l.enrollment_id
    where l.tenant_id = tenant and l.subject_id = any(ids))
  select r.subject_id, jsonb_strip_nulls(r.figure) from rows r;
end $$;
