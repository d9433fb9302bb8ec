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
