-- What these people count for in the arms that they were assigned to, a row for each: all kinds, scopes and steps, or one. Of several assignments of a person the first counts, and what
-- happens from then on until the window is over.
--   holdout  of a sequence: `converted` by an order that is revenue, cancelled or not
--   band     of a sequence about risk, the same people: `converted` where the account did what is predicted not to happen, `revenue` by its behaviour
--   variant  of a step of a sequence, or of the whole of it (`*`): `converted` by an order that stands; the messages of the sequence, where it is the whole
--   test     of a campaign: as variants
--   message  messages of a step or a test that were sent, by the variant that each is of, whoever got them and whenever
--   cap      steps that a cap put off or left out, by their first channel (`variant`); the latest of them counts, at the time at which it was first decided about
-- `opt_outs`, `complaints` and `refunds` count within the window so far; whether it is over, a reader decides by `assigned_at`. Source: docs/adr/0123-arms-are-kept-by-person.md
-- Rows are looked up by arrays of ids and joined by hashes, so that thousands of people take as long as they are many, whatever is known about the tables.
create function figures_of_arms(tenant uuid, ids uuid[], of_kind text, of_scope uuid, of_step text) returns setof arm_figures
language plpgsql stable set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set enable_nestloop = off set jit = off as $$
declare
  time_scale float8; predicted text; predicted_within interval; has_letters boolean; has_caps boolean; contact_ids uuid[]; enrollment_ids uuid[];
begin
  select t.time_scale, coalesce(t.settings -> 'riskPrediction' ->> 'what', 'no_purchase'), make_interval(hours => 24 * coalesce((t.settings -> 'riskPrediction' ->> 'withinDays')::int, 60)),
    exists (select from public.variant_assignments v where v.tenant_id = tenant) or exists (select from public.experiment_assignments x where x.tenant_id = tenant)
  into time_scale, predicted, predicted_within, has_letters from public.tenants t where t.id = tenant;
  has_caps := coalesce(of_kind, 'cap') = 'cap' and exists (select from public.decisions d where d.tenant_id = tenant and d.reason in ('cap', 'capped'));
  contact_ids := array(select k.id from public.contacts k where k.tenant_id = tenant and k.person_id = any(ids));
  if has_caps or (has_letters and (coalesce(of_kind, 'message') = 'message' or coalesce(of_step, '*') = '*')) then
    enrollment_ids := array(select e.id from public.enrollments e where e.tenant_id = tenant and e.contact_id = any(contact_ids));
  end if;
  return query
  with c as materialized (
    select k.id, k.person_id, k.lifecycle = 'DO_NOT_CONTACT' as closed from public.contacts k where k.tenant_id = tenant and k.id = any(contact_ids)),
  everything as (
    select 'holdout' as kind, a.sequence_id as scope_id, '' as step_id, c.person_id, a.id, a.contact_id, a.arm as variant, jsonb_build_object('holdout', a.share) as shares, a.assigned_at
    from c join public.assignments a on a.contact_id = c.id
    where a.tenant_id = tenant and a.contact_id = any(contact_ids) and coalesce(of_kind, 'holdout') in ('holdout', 'band') and a.sequence_id = coalesce(of_scope, a.sequence_id)
    union all
    select 'variant', a.sequence_id, a.step_id, c.person_id, a.id, a.contact_id, a.variant, a.shares, a.assigned_at
    from c join public.variant_assignments a on a.contact_id = c.id
    where a.tenant_id = tenant and a.contact_id = any(contact_ids) and coalesce(of_kind, 'variant') = 'variant' and a.sequence_id = coalesce(of_scope, a.sequence_id) and a.step_id = coalesce(of_step, a.step_id)
    union all
    select 'test', a.experiment_id, '', c.person_id, a.id, a.contact_id, a.variant, '{}', a.assigned_at
    from c join public.experiment_assignments a on a.contact_id = c.id
    where a.tenant_id = tenant and a.contact_id = any(contact_ids) and coalesce(of_kind, 'test') = 'test' and a.experiment_id = coalesce(of_scope, a.experiment_id)),
  firsts as materialized (
    select distinct on (e.kind, e.scope_id, e.step_id, e.person_id) e.* from everything e order by e.kind, e.scope_id, e.step_id, e.person_id, e.assigned_at, e.id),
  windows as materialized (
    select s.id as scope_id, v.definition ->> 'on' = 'risk.entered' as about_risk,
      make_interval(secs => round(((v.definition -> 'goal' ->> 'withinMs')::float8 / time_scale)::numeric)::float8 / 1000) as within
    from public.sequences s join public.sequence_versions v on v.id = s.current_version_id
    where s.tenant_id = tenant and s.id = any(array(select f.scope_id from firsts f)) and v.tenant_id = tenant
      and v.id = any(array(select n.current_version_id from public.sequences n where n.tenant_id = tenant))
    union all
    select x.id, false, make_interval(secs => round((x.window_ms::float8 / time_scale)::numeric)::float8 / 1000)
    from public.experiments x where x.tenant_id = tenant and x.id = any(array(select f.scope_id from firsts f)) and x.sequence_id is null),
  assigned as materialized (
    select f.*, f.assigned_at + w.within as ends_at from firsts f join windows w on w.scope_id = f.scope_id where coalesce(of_kind, f.kind) = f.kind),
  orders as materialized (
    select c.person_id, o.placed_at, o.no_revenue is null as counts, o.reversed_at is not null as reversed, o.refunded_minor > 0 as refunded, f.currency, f.net_minor
    from c join public.conversions o on o.contact_id = c.id left join lateral public.figures_of_order(o) f on true
    where o.tenant_id = tenant and o.contact_id = any(contact_ids) and exists (select from assigned)),
  theirs as materialized (
    select a.kind, a.scope_id, a.step_id, o.* from assigned a join orders o on o.person_id = a.person_id and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at),
  bought as materialized (
    select t.kind, t.scope_id, t.step_id, t.person_id, bool_or(t.counts and (t.kind = 'holdout' or not t.reversed)) as converted, bool_or(t.reversed or t.refunded) as gave_back
    from theirs t group by 1, 2, 3, 4),
  spent as materialized (
    select s.kind, s.scope_id, s.step_id, s.person_id, jsonb_object_agg(s.currency, s.net) as revenue
    from (select t.kind, t.scope_id, t.step_id, t.person_id, t.currency, sum(t.net_minor)::bigint as net from theirs t where t.currency <> '' group by 1, 2, 3, 4, 5) s
    group by 1, 2, 3, 4),
  said_no as materialized (
    select a.kind, a.scope_id, a.step_id, a.person_id, bool_or(c.closed) as is_final
    from assigned a join c on c.person_id = a.person_id join public.consents n on n.contact_id = c.id
    where n.tenant_id = tenant and n.contact_id = any(contact_ids) and a.kind <> 'holdout' and n.state = 'denied' and public.consent_basis(n.basis, n.source) = 'person' and n.occurred_at > a.assigned_at and n.occurred_at <= a.ends_at
    group by 1, 2, 3, 4),
  letters as materialized (
    select c.person_id, e.sequence_id, m.step_id, m.experiment_id, m.variant, m.created_at, m.opened_at is not null as opened, m.clicked_at is not null as clicked
    from public.messages m join public.enrollments e on e.id = m.enrollment_id join c on c.id = e.contact_id
    where m.tenant_id = tenant and m.enrollment_id = any(enrollment_ids) and m.state = 'sent' and e.tenant_id = tenant and e.id = any(enrollment_ids)),
  to_people as materialized (
    select a.scope_id, a.person_id, count(*)::int as sent, (count(*) filter (where l.opened))::int as opened, (count(*) filter (where l.clicked))::int as clicked
    from assigned a join letters l on l.person_id = a.person_id and l.sequence_id = a.scope_id and l.created_at >= a.assigned_at - interval '1 minute'
    where a.step_id = '*' group by 1, 2),
  accounts as materialized (
    select distinct on (f.scope_id, f.person_id) f.*, e.subject_id
    from firsts f join windows w on w.scope_id = f.scope_id join public.enrollments e on e.sequence_id = f.scope_id and e.contact_id = f.contact_id
    where f.kind = 'holdout' and coalesce(of_kind, 'band') = 'band' and w.about_risk and e.tenant_id = tenant
      and e.contact_id = any(array(select n.contact_id from firsts n join windows o on o.scope_id = n.scope_id where n.kind = 'holdout' and o.about_risk))
    order by f.scope_id, f.person_id, e.id),
  done as materialized (
    select a.scope_id, a.person_id, b.kind, b.data from accounts a join public.behaviours b on b.subject_id = a.subject_id
    where b.tenant_id = tenant and b.subject_id = any(array(select n.subject_id from accounts n))
      and b.occurred_at > a.assigned_at and b.occurred_at <= a.assigned_at + predicted_within),
  stayed as materialized (
    select d.scope_id, d.person_id,
      bool_or(case when predicted = 'no_purchase' then d.kind = 'order' else d.kind = 'message' or (d.kind = 'call' and d.data ->> 'answered' = 'true') end) as stayed
    from done d group by 1, 2),
  held_up as materialized (
    select distinct d.enrollment_id, d.step_id, d.version_id from public.decisions d
    where has_caps and d.tenant_id = tenant and d.enrollment_id = any(enrollment_ids)
      and ((d.reason = 'cap' and d.verdict = 'defer') or (d.reason = 'capped' and d.verdict = 'skip'))),
  channels as materialized (
    select distinct on (v.id, t.step ->> 'id') v.id as version_id, t.step ->> 'id' as step_id, t.step -> 'channels' ->> 0 as channel
    from public.sequence_versions v cross join lateral jsonb_array_elements(v.definition -> 'steps') t(step)
    where v.tenant_id = tenant and v.id = any(array(select h.version_id from held_up h))),
  steps_held_up as materialized (
    select e.contact_id, h.version_id, h.step_id, min(d.at) as at
    from held_up h join public.enrollments e on e.id = h.enrollment_id
      join public.decisions d on (d.enrollment_id, d.step_id, d.version_id) = (h.enrollment_id, h.step_id, h.version_id)
    where e.tenant_id = tenant and e.activated_at is not null and e.id = any(array(select i.enrollment_id from held_up i))
      and d.tenant_id = tenant and d.enrollment_id = any(array(select i.enrollment_id from held_up i))
    group by e.id, e.contact_id, h.version_id, h.step_id),
  paid as materialized (
    select p.scope_id, p.person_id, jsonb_object_agg(p.currency, p.amount) as revenue
    from (
      select d.scope_id, d.person_id, d.data ->> 'currency' as currency, sum((d.data ->> 'amount')::numeric) as amount
      from done d where d.kind = 'order' and d.data ->> 'amount' is not null and d.data ->> 'currency' is not null group by 1, 2, 3) p
    group by 1, 2)
  select tenant, a.person_id, a.kind, a.scope_id, a.step_id, a.variant, a.shares, a.assigned_at::timestamptz(3), 1, coalesce(b.converted, false)::int, (n.person_id is not null)::int,
    coalesce(n.is_final, false)::int, (a.kind <> 'holdout' and coalesce(b.gave_back, false))::int, coalesce(l.sent, 0), coalesce(l.opened, 0), coalesce(l.clicked, 0),
    coalesce(s.revenue, '{}')
  from assigned a
    left join bought b on (b.kind, b.scope_id, b.step_id, b.person_id) = (a.kind, a.scope_id, a.step_id, a.person_id)
    left join spent s on (s.kind, s.scope_id, s.step_id, s.person_id) = (a.kind, a.scope_id, a.step_id, a.person_id)
    left join said_no n on (n.kind, n.scope_id, n.step_id, n.person_id) = (a.kind, a.scope_id, a.step_id, a.person_id)
    left join to_people l on a.step_id = '*' and (l.scope_id, l.person_id) = (a.scope_id, a.person_id)
  union all
  select tenant, a.person_id, 'band', a.scope_id, '', a.variant, a.shares, a.assigned_at::timestamptz(3), 1, coalesce(y.stayed, false)::int, 0, 0, 0, 0, 0, 0, coalesce(p.revenue, '{}')
  from accounts a left join stayed y on (y.scope_id, y.person_id) = (a.scope_id, a.person_id) left join paid p on (p.scope_id, p.person_id) = (a.scope_id, a.person_id)
  union all
  select tenant, c.person_id, 'cap', '00000000-0000-0000-0000-000000000000', '', coalesce(k.channel, ''), '{}', max(h.at)::timestamptz(3), 1, 0, 0, 0, 0, 0, 0, 0, '{}'
  from steps_held_up h join c on c.id = h.contact_id left join channels k on (k.version_id, k.step_id) = (h.version_id, h.step_id) group by 2, 6
  union all
  select tenant, l.person_id, 'message', coalesce(l.experiment_id, l.sequence_id), case when l.experiment_id is null then l.step_id else '' end, l.variant, '{}', timestamptz(3) 'epoch', 0,
    0, 0, 0, 0, count(*)::int, (count(*) filter (where l.opened))::int, (count(*) filter (where l.clicked))::int, '{}'
  from letters l
  where coalesce(of_kind, 'message') = 'message' and l.variant is not null and coalesce(l.experiment_id, l.sequence_id) = coalesce(of_scope, l.experiment_id, l.sequence_id)
    and (of_step is null or of_step = case when l.experiment_id is null then l.step_id else '' end)
  group by 2, 4, 5, 6;
end $$;
