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
create or replace function figures_of_courses(tenant uuid, ids uuid[]) returns table (subject_id uuid, figure jsonb)
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
--> statement-breakpoint
-- Compute the figures of up to so many marked changes anew, of subjects and of people in arms, and move the difference into the sums; returns how many marks were done, 0 also
-- while another process folds. A marked scope has its turn where fewer are marked, and as many people of it are done. A change and its mark are committed together: what this does not see yet is marked again. SECURITY DEFINER: it spans tenants, and the application may not
-- write sums. Source: docs/adr/0110-what-became-of-people-is-kept.md
create or replace function fold_courses(max_marks int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  taken public.course_marks[]; store record; scope public.course_marks; contact_ids uuid[];
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.courses')) then return 0; end if;
  -- All subjects of a store are done a part at a time: they may be many.
  with whole as materialized (
    delete from public.course_marks m where num_nonnulls(m.subject_id, m.enrollment_id, m.message_id, m.contact_id, m.account_id, m.scope_id) = 0 returning m.tenant_id)
  insert into public.course_marks (tenant_id, subject_id, scope_id)
  select s.tenant_id, s.id, null from public.subjects s where s.tenant_id in (select w.tenant_id from whole w)
  union all
  select s.tenant_id, null, s.id from public.sequences s where s.tenant_id in (select w.tenant_id from whole w)
  union all
  select x.tenant_id, null, x.id from public.experiments x where x.tenant_id in (select w.tenant_id from whole w);
  with gone as (
    delete from public.course_marks m where m.ctid = any(array(select f.ctid from public.course_marks f where f.scope_id is null order by f.tenant_id, f.seq limit max_marks)) returning m)
  select array_agg(g.m) into taken from gone g;
  for store in
    select k.tenant_id, array_agg(distinct coalesce(k.subject_id, e.subject_id)) as ids
    from unnest(taken) k
      -- A tenant that was erased meanwhile has no figures.
      join public.tenants t on t.id = k.tenant_id
      left join public.messages g on g.tenant_id = k.tenant_id and g.id = k.message_id
      left join public.enrollments e on e.tenant_id = k.tenant_id and e.id = coalesce(k.enrollment_id, g.enrollment_id)
    where coalesce(k.subject_id, e.subject_id) is not null group by 1
  loop
    perform public.add_courses(store.tenant_id, store.ids);
  end loop;
  -- What interventions count for is judged by a job of the application, from here on.
  insert into public.intervention_marks (tenant_id, account_id)
  select distinct k.tenant_id, a.id
  from unnest(taken) k join public.tenants t on t.id = k.tenant_id
    left join public.messages g on g.tenant_id = k.tenant_id and g.id = k.message_id
    left join public.enrollments e on e.tenant_id = k.tenant_id and e.id = coalesce(k.enrollment_id, g.enrollment_id)
    cross join lateral (values (coalesce(k.subject_id, e.subject_id)), (k.account_id)) a(id)
  where exists (select from public.enrollments x where x.tenant_id = k.tenant_id and x.subject_id = a.id and x.subject_kind = 'account')
    -- Its interventions may have become another account's.
    or exists (select from public.intervention_figures f where f.tenant_id = k.tenant_id and f.account_id = a.id);
  for store in
    select k.tenant_id, array_agg(k) as marks from unnest(taken) k join public.tenants t on t.id = k.tenant_id
    where num_nonnulls(k.contact_id, k.enrollment_id, k.account_id) > 0 group by 1
  loop
    perform public.add_arms(store.tenant_id, array(select p.id from public.people_of_marks(store.tenant_id, store.marks) p(id)));
  end loop;
  if coalesce(cardinality(taken), 0) >= max_marks then return coalesce(cardinality(taken), 0); end if;
  select m.* into scope from public.course_marks m where m.scope_id is not null order by m.tenant_id, m.seq limit 1;
  if scope.scope_id is null then return coalesce(cardinality(taken), 0); end if;
  contact_ids := array(select p.id from public.people_in_scope(scope.tenant_id, scope.scope_id, scope.done_to, max_marks) p(id) order by p.id limit max_marks);
  if cardinality(contact_ids) = 0 then
    delete from public.course_marks m where m.tenant_id = scope.tenant_id and m.seq = scope.seq;
  else
    perform public.add_arms(scope.tenant_id, array(select distinct c.person_id from public.contacts c where c.tenant_id = scope.tenant_id and c.id = any(contact_ids)));
    update public.course_marks m set done_to = contact_ids[cardinality(contact_ids)] where m.tenant_id = scope.tenant_id and m.seq = scope.seq;
  end if;
  -- There may be more right away.
  return max_marks;
end $$;
--> statement-breakpoint
-- Trigger: note which accounts' behaviour changed, once a statement: an import brings the behaviour of many. SECURITY DEFINER: the application may not write figures.
-- Source: docs/adr/0123-arms-are-kept-by-person.md
create or replace function mark_accounts() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  -- Visits and the like say neither that somebody stayed nor what they bought, but that an intervention had an effect.
  insert into public.course_marks (tenant_id, account_id)
  select distinct c.tenant_id, c.subject_id from changed c
  where c.kind in ('order', 'message', 'call')
    or exists (select from public.enrollments e where e.tenant_id = c.tenant_id and e.subject_id = c.subject_id and e.subject_kind = 'account');
  return null;
end $$;
--> statement-breakpoint
-- Trigger: note whose figures a change may alter. It computes none: a writer must not wait for a sum, nor see what another one is about to commit. SECURITY DEFINER: the
-- application may not write figures. Source: docs/adr/0110-what-became-of-people-is-kept.md
create or replace function mark_course() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  case tg_argv[0]
    when 'subjects' then
      insert into public.course_marks (tenant_id, subject_id) values (new.tenant_id, new.id);
    when 'enrollments' then
      insert into public.course_marks (tenant_id, subject_id, contact_id) values (new.tenant_id, new.subject_id, new.contact_id);
      if tg_op = 'UPDATE' then
        if (old.subject_id, old.contact_id) <> (new.subject_id, new.contact_id) then
          insert into public.course_marks (tenant_id, subject_id, contact_id) values (old.tenant_id, old.subject_id, old.contact_id);
        end if;
      end if;
    when 'campaign_leads' then
      insert into public.course_marks (tenant_id, subject_id) values (new.tenant_id, new.subject_id);
      if tg_op = 'UPDATE' then
        if old.subject_id <> new.subject_id then insert into public.course_marks (tenant_id, subject_id) values (old.tenant_id, old.subject_id); end if;
      end if;
    when 'messages', 'of enrollments' then
      insert into public.course_marks (tenant_id, enrollment_id) values (new.tenant_id, new.enrollment_id);
    when 'conversions' then
      insert into public.course_marks (tenant_id, enrollment_id, contact_id) values (new.tenant_id, new.enrollment_id, new.contact_id);
      if tg_op = 'UPDATE' then
        if (old.enrollment_id, old.contact_id) is distinct from (new.enrollment_id, new.contact_id) and num_nonnulls(old.enrollment_id, old.contact_id) > 0 then
          insert into public.course_marks (tenant_id, enrollment_id, contact_id) values (old.tenant_id, old.enrollment_id, old.contact_id);
        end if;
      end if;
    when 'assigned' then
      insert into public.course_marks (tenant_id, contact_id) values (new.tenant_id, new.contact_id);
    when 'contacts' then
      insert into public.course_marks (tenant_id, contact_id) values (new.tenant_id, new.id);
      if old.person_id <> new.person_id then insert into public.course_marks (tenant_id, contact_id) values (old.tenant_id, old.person_id); end if;
    when 'sequences' then
      -- Nearly every new version has the same window: then nobody counts for anything else.
      if (select jsonb_build_array(v.definition -> 'goal' -> 'withinMs', v.definition ->> 'on' = 'risk.entered') from public.sequence_versions v
          where v.tenant_id = old.tenant_id and v.id = old.current_version_id)
        is distinct from (select jsonb_build_array(v.definition -> 'goal' -> 'withinMs', v.definition ->> 'on' = 'risk.entered') from public.sequence_versions v
          where v.tenant_id = new.tenant_id and v.id = new.current_version_id) then
        insert into public.course_marks (tenant_id, scope_id) values (new.tenant_id, new.id);
      end if;
    when 'predictions' then
      insert into public.course_marks (tenant_id, scope_id) select s.tenant_id, s.id from public.sequences s where s.tenant_id = new.id;
    when 'calls', 'message_events' then
      insert into public.course_marks (tenant_id, message_id) values (new.tenant_id, new.message_id);
    when 'tenants' then
      insert into public.course_marks (tenant_id) values (new.id);
  end case;
  return null;
end $$;
--> statement-breakpoint
-- Trigger: note that a store judges its interventions by other settings. SECURITY DEFINER: the application may not write figures.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function mark_interventions() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into public.intervention_marks (tenant_id) values (new.id);
  return null;
end $$;
--> statement-breakpoint
-- Take what the interventions of these accounts are in the sums with out of them, and put in what is brought: of each, `figures` with the columns of `intervention_sums` that are
-- not 0. The marks that were seen are done. SECURITY DEFINER: the application may not write figures, and these are of the transaction's tenant.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function put_interventions(accounts uuid[], marks bigint[], judged_by text, brought jsonb) returns void language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
declare
  tenant uuid := nullif(current_setting('app.tenant', true), '')::uuid;
  gone public.intervention_figures[];
begin
  delete from public.intervention_marks m where m.tenant_id = tenant and m.seq = any(marks);
  -- One that has come from another account, whose turn has not come yet, is there already.
  with old as (
    delete from public.intervention_figures f
    where f.tenant_id = tenant
      and (f.account_id = any(accounts) or f.enrollment_id = any(array(select b.enrollment_id from jsonb_to_recordset(brought) as b(enrollment_id uuid))))
    returning f)
  select array_agg(o.f) into gone from old o;
  with come as (
    insert into public.intervention_figures (tenant_id, enrollment_id, account_id, began_at, changes_at, basis, first_action_ms, figures)
    select tenant, b.enrollment_id, b.account_id, b.began_at, b.changes_at, judged_by, b.first_action_ms, b.figures
    from jsonb_to_recordset(brought) as b(enrollment_id uuid, account_id uuid, began_at timestamptz, changes_at timestamptz, first_action_ms bigint, figures jsonb)
    returning *),
  change as (
    select 1 as sign, (c.began_at at time zone 'UTC')::date as began_on, r.* from come c cross join lateral jsonb_populate_recordset(null::public.intervention_sums, c.figures) r
    union all
    select -1, (g.began_at at time zone 'UTC')::date, r.* from unnest(gone) g cross join lateral jsonb_populate_recordset(null::public.intervention_sums, g.figures) r)
  insert into public.intervention_sums as s (tenant_id, day, band, channel, currency, begun, held_out, complete, successes, actions, pending, delivered, engaged, converted, failed,
    ignored, escalated, unknown_message, unknown_people, unknown_model, cost, expected, attributed)
  select tenant, c.began_on, c.band, coalesce(c.channel, ''), coalesce(c.currency, ''), coalesce(sum(c.sign * c.begun), 0), coalesce(sum(c.sign * c.held_out), 0),
    coalesce(sum(c.sign * c.complete), 0), coalesce(sum(c.sign * c.successes), 0), coalesce(sum(c.sign * c.actions), 0), coalesce(sum(c.sign * c.pending), 0),
    coalesce(sum(c.sign * c.delivered), 0), coalesce(sum(c.sign * c.engaged), 0), coalesce(sum(c.sign * c.converted), 0), coalesce(sum(c.sign * c.failed), 0),
    coalesce(sum(c.sign * c.ignored), 0), coalesce(sum(c.sign * c.escalated), 0), coalesce(sum(c.sign * c.unknown_message), 0), coalesce(sum(c.sign * c.unknown_people), 0),
    coalesce(sum(c.sign * c.unknown_model), 0), coalesce(sum(c.sign * c.cost), 0), coalesce(sum(c.sign * c.expected), 0), coalesce(sum(c.sign * c.attributed), 0)
  from change c group by 1, 2, 3, 4, 5
  on conflict (tenant_id, day, band, channel, currency) do update set
    begun = s.begun + excluded.begun, held_out = s.held_out + excluded.held_out, complete = s.complete + excluded.complete, successes = s.successes + excluded.successes,
    actions = s.actions + excluded.actions, pending = s.pending + excluded.pending, delivered = s.delivered + excluded.delivered, engaged = s.engaged + excluded.engaged,
    converted = s.converted + excluded.converted, failed = s.failed + excluded.failed, ignored = s.ignored + excluded.ignored, escalated = s.escalated + excluded.escalated,
    unknown_message = s.unknown_message + excluded.unknown_message, unknown_people = s.unknown_people + excluded.unknown_people,
    unknown_model = s.unknown_model + excluded.unknown_model, cost = s.cost + excluded.cost, expected = s.expected + excluded.expected,
    attributed = s.attributed + excluded.attributed;
end $$;
--> statement-breakpoint
-- The accounts of this tenant of which an intervention may count for something else by now than what it is in the sums with. Other subjects may be among them.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function stale_interventions(tenant uuid, judged_by text, at timestamptz) returns setof uuid language sql stable set enable_seqscan = off
begin atomic
  select m.id from subjects_of_marks(tenant) m(id)
  union
  select c.account_id from course_marks c where c.tenant_id = tenant and c.account_id is not null
  union
  select i.account_id from intervention_marks i where i.tenant_id = tenant and i.account_id is not null
  union
  select f.account_id from intervention_figures f where f.tenant_id = tenant and f.changes_at <= at
  union
  select f.account_id from intervention_figures f where f.tenant_id = tenant and (f.basis < judged_by or f.basis > judged_by);
end;
--> statement-breakpoint
-- The stores of which interventions are to be judged anew by now. SECURITY DEFINER: it spans tenants.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function stores_with_stale_interventions(at timestamptz) returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
  select t.id from public.tenants t
  where exists (select from public.intervention_marks m where m.tenant_id = t.id)
    or exists (select from public.intervention_figures f where f.tenant_id = t.id and f.changes_at <= at)
$$;
--> statement-breakpoint
revoke execute on function mark_interventions(), put_interventions(uuid[], bigint[], text, jsonb), stale_interventions(uuid, text, timestamptz), stores_with_stale_interventions(timestamptz) from public;
--> statement-breakpoint
grant execute on function mark_interventions(), put_interventions(uuid[], bigint[], text, jsonb), stale_interventions(uuid, text, timestamptz), stores_with_stale_interventions(timestamptz) to rekindle_app;

--> statement-breakpoint
revoke execute on function put_interventions(uuid[], bigint[], text, jsonb), stale_interventions(uuid, text, timestamptz), stores_with_stale_interventions(timestamptz), mark_interventions() from public;
--> statement-breakpoint
grant execute on function put_interventions(uuid[], bigint[], text, jsonb), stale_interventions(uuid, text, timestamptz), stores_with_stale_interventions(timestamptz) to rekindle_app;
--> statement-breakpoint
grant select on intervention_figures, intervention_sums, intervention_marks to rekindle_app;
--> statement-breakpoint
-- An account that comes into a band counts before its sequence is activated.
create or replace trigger course_of_new_enrollment after insert on enrollments for each row
  when (new.activated_at is not null or new.campaign_id is not null or new.subject_kind = 'account') execute function mark_course('enrollments');
--> statement-breakpoint
create or replace trigger course_of_enrollment after update on enrollments for each row
  when ((old.subject_id, old.contact_id, old.sequence_id, old.version_id, old.campaign_id, old.status, old.stop_reason, old.enrolled_at, old.activated_at, old.anchor_at, old.ended_at)
    is distinct from (new.subject_id, new.contact_id, new.sequence_id, new.version_id, new.campaign_id, new.status, new.stop_reason, new.enrolled_at, new.activated_at,
      new.anchor_at, new.ended_at)
    and (old.activated_at is not null or new.activated_at is not null or old.campaign_id is not null or new.campaign_id is not null or new.subject_kind = 'account'))
  execute function mark_course('enrollments');
--> statement-breakpoint
-- A step that waits has no message yet. A step that is sent has one that changes at the same time.
create trigger course_of_decision after insert on decisions for each row when (new.verdict <> 'send') execute function mark_course('of enrollments');
--> statement-breakpoint
create trigger course_of_new_task after insert on tasks for each row when (new.enrollment_id is not null and new.send_key is not null) execute function mark_course('of enrollments');
--> statement-breakpoint
create trigger course_of_task after update on tasks for each row
  when (new.enrollment_id is not null and (old.state, old.suppressed, old.send_key, old.enrollment_id) is distinct from (new.state, new.suppressed, new.send_key, new.enrollment_id))
  execute function mark_course('of enrollments');
--> statement-breakpoint
create trigger course_of_new_composition after insert on compositions for each row when (new.cost_micros <> 0) execute function mark_course('of enrollments');
--> statement-breakpoint
create trigger course_of_composition after update on compositions for each row when (old.cost_micros <> new.cost_micros) execute function mark_course('of enrollments');
--> statement-breakpoint
create trigger interventions_of_tenant after update of settings on tenants for each row
  when (old.settings -> 'interventionWindowDays' is distinct from new.settings -> 'interventionWindowDays'
    or old.settings -> 'interventionCosts' is distinct from new.settings -> 'interventionCosts')
  execute function mark_interventions();
--> statement-breakpoint
-- What there was before is counted by the first foldings: steps by what was decided about them, and what interventions count for.
insert into course_marks (tenant_id) select id from tenants;
