-- Take what these subjects are in the sums with out of them, and put in what their rows say now.
-- Source: docs/adr/0110-what-became-of-people-is-kept.md
create function add_courses(tenant uuid, ids uuid[]) returns void language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
begin
  with fresh as materialized (
    select f.subject_id, f.figure from public.figures_of_courses(tenant, ids) f),
  kept as materialized (
    select k.subject_id, k.figures from public.course_figures k where k.tenant_id = tenant and k.subject_id = any(ids)),
  stored as (
    insert into public.course_figures as k (tenant_id, subject_id, figures)
    select tenant, f.subject_id, jsonb_agg(f.figure) from fresh f group by f.subject_id
    on conflict (tenant_id, subject_id) do update set figures = excluded.figures),
  change as (
    -- One call each: a call for every row takes longer than everything else.
    select 1 as sign, r.* from jsonb_populate_recordset(null::public.course_sums, (select coalesce(jsonb_agg(f.figure), '[]') from fresh f)) r
    union all
    select -1, r.* from jsonb_populate_recordset(null::public.course_sums,
      (select coalesce(jsonb_agg(o.figure), '[]') from kept k cross join lateral jsonb_array_elements(k.figures) o(figure))) r),
  moved as (
    select c.topic, c.starts_at,
      coalesce(c.sequence_id, '00000000-0000-0000-0000-000000000000') as sequence_id,
      coalesce(c.version_id, '00000000-0000-0000-0000-000000000000') as version_id,
      coalesce(c.campaign_id, '00000000-0000-0000-0000-000000000000') as campaign_id, coalesce(c.subject_kind, '') as subject_kind,
      coalesce(c.source, '') as source, coalesce(c.imported, false) as imported, coalesce(c.step_id, '') as step_id,
      coalesce(c.channel, '') as channel, coalesce(c.reason, '') as reason, coalesce(c.slot, 0) as slot, coalesce(c.currency, '') as currency,
      coalesce(sum(c.sign * c.cases), 0) as cases, coalesce(sum(c.sign * c.leads), 0) as leads, coalesce(sum(c.sign * c.held_out), 0) as held_out,
      coalesce(sum(c.sign * c.still_open), 0) as still_open, coalesce(sum(c.sign * c.completed), 0) as completed,
      coalesce(sum(c.sign * c.converted), 0) as converted, coalesce(sum(c.sign * c.dropped), 0) as dropped,
      coalesce(sum(c.sign * c.executed), 0) as executed, coalesce(sum(c.sign * c.failed), 0) as failed,
      coalesce(sum(c.sign * c.delivered), 0) as delivered, coalesce(sum(c.sign * c.opened), 0) as opened,
      coalesce(sum(c.sign * c.machine_opened), 0) as machine_opened, coalesce(sum(c.sign * c.clicked), 0) as clicked,
      coalesce(sum(c.sign * c.replied), 0) as replied, coalesce(sum(c.sign * c.answered), 0) as answered,
      coalesce(sum(c.sign * c.amount), 0) as amount, coalesce(sum(c.sign * c.squares), 0) as squares
    from change c
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
  insert into public.course_sums as s (tenant_id, grain, topic, starts_at,
    sequence_id, version_id, campaign_id, subject_kind, source, imported, step_id, channel, reason, slot, currency,
    cases, leads, held_out, still_open, completed, converted, dropped, executed, failed, delivered, opened, machine_opened, clicked, replied,
    answered, amount, squares)
  select tenant, g.grain, m.topic, date_trunc(g.grain, m.starts_at, 'UTC'),
    m.sequence_id, m.version_id, m.campaign_id, m.subject_kind, m.source, m.imported, m.step_id, m.channel, m.reason, m.slot, m.currency,
    sum(m.cases), sum(m.leads), sum(m.held_out), sum(m.still_open), sum(m.completed), sum(m.converted), sum(m.dropped), sum(m.executed),
    sum(m.failed), sum(m.delivered), sum(m.opened), sum(m.machine_opened), sum(m.clicked), sum(m.replied), sum(m.answered), sum(m.amount),
    sum(m.squares)
  from moved m cross join (values ('day'), ('month')) as g(grain)
  where (m.cases, m.leads, m.held_out, m.still_open, m.completed, m.converted, m.dropped, m.executed, m.failed, m.delivered, m.opened, m.machine_opened, m.clicked, m.replied, m.answered, m.amount, m.squares)
    <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  on conflict (tenant_id, grain, topic, sequence_id, starts_at, version_id, campaign_id, subject_kind, source, imported, step_id, channel, reason, slot, currency)
  do update set
    cases = s.cases + excluded.cases, leads = s.leads + excluded.leads, held_out = s.held_out + excluded.held_out,
    still_open = s.still_open + excluded.still_open, completed = s.completed + excluded.completed, converted = s.converted + excluded.converted,
    dropped = s.dropped + excluded.dropped, executed = s.executed + excluded.executed, failed = s.failed + excluded.failed,
    delivered = s.delivered + excluded.delivered, opened = s.opened + excluded.opened, machine_opened = s.machine_opened + excluded.machine_opened,
    clicked = s.clicked + excluded.clicked, replied = s.replied + excluded.replied, answered = s.answered + excluded.answered,
    amount = s.amount + excluded.amount, squares = s.squares + excluded.squares;
end $$;
