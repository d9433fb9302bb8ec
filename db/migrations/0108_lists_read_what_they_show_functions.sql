-- The campaign of a tracker's report: that of the attempt whose link was followed, else that of the enrollment that its revenue is credited to; null: it has none.
create function campaign_of_report(r lead_conversions) returns uuid language sql stable set search_path = pg_catalog, public set enable_seqscan = off as $$
  select e.campaign_id from public.enrollments e
  where e.tenant_id = r.tenant_id and e.id = coalesce(
    (select m.enrollment_id from public.messages m where m.tenant_id = r.tenant_id and m.id = r.message_id),
    (select c.enrollment_id from public.conversions c where c.tenant_id = r.tenant_id and c.connection_id = r.connection_id
      and c.order_id = r.click || ' ' || case when r.payout_minor is null then '?' else coalesce(r.currency, '') end))
$$;
--> statement-breakpoint
-- Trigger: how many mistakes an import has.
create function count_mistakes() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  update public.imports i set mistakes = i.mistakes + f.n
  from (select x.tenant_id, x.import_id, count(*)::int as n from found x group by 1, 2) f where i.tenant_id = f.tenant_id and i.id = f.import_id;
  return null;
end $$;
--> statement-breakpoint
-- Trigger: append how many more or fewer enrollments of a version have not ended. SECURITY DEFINER: the application may not write counts.
-- Source: docs/adr/0128-open-enrollments-are-counted-as-they-change.md
create function count_open() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan as $$
begin
  if tg_op = 'UPDATE' then
    if old.ended_at is null then
      insert into public.open_counts (tenant_id, sequence_id, version_id, change) values (old.tenant_id, old.sequence_id, old.version_id, -1);
    end if;
  end if;
  if new.ended_at is null then
    insert into public.open_counts (tenant_id, sequence_id, version_id, change) values (new.tenant_id, new.sequence_id, new.version_id, 1);
  end if;
  return null;
end $$;
--> statement-breakpoint
-- Add up to so many changes to the count of their version; returns how many there were. Called by `fold_rollups`, under its lock. SECURITY DEFINER: it spans tenants, and the
-- application may not write counts. Source: docs/adr/0128-open-enrollments-are-counted-as-they-change.md
create function fold_open_counts(max_rows int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  folded_rows int;
begin
  with taken as (
    delete from public.open_counts
    where ctid = any(array(select d.ctid from public.open_counts d where not d.folded order by d.tenant_id, d.seq limit max_rows))
    returning *
  ), added as (
    insert into public.open_counts as o (tenant_id, sequence_id, version_id, change, folded)
    select d.tenant_id, d.sequence_id, d.version_id, sum(d.change), true
    from taken d
      -- A tenant that was erased meanwhile has no counts.
      join public.tenants t on t.id = d.tenant_id
    group by 1, 2, 3
    on conflict (tenant_id, version_id) where folded do update set change = o.change + excluded.change
  )
  select count(*) into folded_rows from taken;
  return folded_rows;
end $$;
--> statement-breakpoint
-- Add up to `max_rows` deltas to their sums; returns how many there were, 0 also while another process folds. SECURITY DEFINER: it spans
-- tenants, and the application may not write sums. Source: docs/adr/0013-figures-are-sums-kept-by-the-database.md
create or replace function fold_rollups(max_rows int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  folded int;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.rollups')) then return 0; end if;
  with taken as (
    delete from public.sum_deltas
    where ctid = any(array(select d.ctid from public.sum_deltas d order by d.tenant_id, d.hour, d.seq limit max_rows))
    returning *
  ), added as (
    insert into public.sums as r (tenant_id, grain, starts_at, subject_kind, segment, channel, currency,
      started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
      unknown_orders)
    select d.tenant_id, g.grain, date_trunc(g.grain, d.hour, 'UTC'), d.subject_kind, d.segment, d.channel, d.currency,
      sum(d.started), sum(d.purchased), sum(d.steps), sum(d.sent), sum(d.opened), sum(d.clicked), sum(d.orders), sum(d.revenue_minor),
      sum(d.gross_minor), sum(d.refunded_minor), sum(d.cancelled_orders), sum(d.unknown_orders)
    from taken d
      -- A tenant that was erased meanwhile has no figures.
      join public.tenants t on t.id = d.tenant_id
      cross join (values ('hour'), ('day')) as g(grain)
    group by 1, 2, 3, 4, 5, 6, 7
    on conflict (tenant_id, grain, starts_at, subject_kind, segment, channel, currency) do update set
      started = r.started + excluded.started, purchased = r.purchased + excluded.purchased, steps = r.steps + excluded.steps,
      sent = r.sent + excluded.sent, opened = r.opened + excluded.opened, clicked = r.clicked + excluded.clicked,
      orders = r.orders + excluded.orders, revenue_minor = r.revenue_minor + excluded.revenue_minor,
      gross_minor = r.gross_minor + excluded.gross_minor, refunded_minor = r.refunded_minor + excluded.refunded_minor,
      cancelled_orders = r.cancelled_orders + excluded.cancelled_orders, unknown_orders = r.unknown_orders + excluded.unknown_orders
  )
  select count(*) into folded from taken;
  -- So that whoever folds goes on while either is behind.
  if public.fold_open_counts(max_rows) = max_rows then return max_rows; end if;
  return folded;
end $$;
--> statement-breakpoint
-- Trigger: the reports of an order are of the campaign of the enrollment that it is credited to. An order's id is the click of its reports and a currency.
create function note_credited_reports() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  update public.lead_conversions r set campaign_id = public.campaign_of_report(r)
  where r.tenant_id = new.tenant_id and r.connection_id = new.connection_id and r.click = regexp_replace(new.order_id, ' [^ ]*$', '')
    and r.campaign_id is distinct from public.campaign_of_report(r);
  return null;
end $$;
--> statement-breakpoint
-- Trigger: note with a model's texts that their step is settled, or may be tried again, or that their sequence has ended. SECURITY DEFINER: a dispatch may not write texts.
-- The row is locked in a statement of its own: only what is read afterwards sees an end that was committed meanwhile.
create function note_settled_texts() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if tg_argv[0] = 'enrollments' then
    update public.compositions c set is_over = true where c.tenant_id = new.tenant_id and c.enrollment_id = new.id and not c.is_over;
    return null;
  end if;
  perform from public.compositions c where c.tenant_id = new.tenant_id and c.enrollment_id = new.enrollment_id and c.step_id = new.step_id for no key update;
  if found then
    update public.compositions c
    set is_over = new.state <> 'failed' or exists (select from public.enrollments e where e.tenant_id = new.tenant_id and e.id = new.enrollment_id and e.ended_at is not null)
    where c.tenant_id = new.tenant_id and c.enrollment_id = new.enrollment_id and c.step_id = new.step_id;
  end if;
  return null;
end $$;
--> statement-breakpoint
-- Trigger: whether the step of this text is settled, or its sequence ended. A text that is asked for afterwards knows it from the beginning.
create function watch_composition() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  new.is_over := exists (select from public.messages m where m.tenant_id = new.tenant_id and m.enrollment_id = new.enrollment_id and m.step_id = new.step_id and m.state <> 'failed')
    or exists (select from public.enrollments e where e.tenant_id = new.tenant_id and e.id = new.enrollment_id and e.ended_at is not null);
  return new;
end $$;
--> statement-breakpoint
-- Trigger: until when an enrollment has a step that is put off, the latest of them.
create function watch_put_off() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
  new.put_off_until := case when new.not_before <> '{}' then (select max(to_timestamp(k.value::float8 / 1000)) from jsonb_each_text(new.not_before) k) end;
  return new;
end $$;
--> statement-breakpoint
-- Trigger: the campaign of a report, whoever writes it.
create function watch_report() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  new.campaign_id := public.campaign_of_report(new);
  return new;
end $$;
--> statement-breakpoint
revoke execute on function campaign_of_report(lead_conversions), count_mistakes(), count_open(), fold_open_counts(int), note_credited_reports(), note_settled_texts(), watch_composition(), watch_put_off(), watch_report() from public;
--> statement-breakpoint
grant execute on function campaign_of_report(lead_conversions), count_mistakes(), count_open(), fold_open_counts(int), note_credited_reports(), note_settled_texts(), watch_composition(), watch_put_off(), watch_report() to rekindle_app;
--> statement-breakpoint
grant select on open_counts to rekindle_app;
--> statement-breakpoint
-- A text is over where its step has a message that did not fail, or its sequence has ended.
create trigger over_of_composition before insert or update of state on compositions for each row execute function watch_composition();
--> statement-breakpoint
create trigger texts_of_new_message after insert on messages for each row when (new.state <> 'failed') execute function note_settled_texts('messages');
--> statement-breakpoint
create trigger texts_of_message after update of state on messages for each row
  when ((old.state = 'failed') <> (new.state = 'failed')) execute function note_settled_texts('messages');
--> statement-breakpoint
create trigger texts_of_enrollment after update of ended_at on enrollments for each row
  when (old.ended_at is null and new.ended_at is not null) execute function note_settled_texts('enrollments');
--> statement-breakpoint
create trigger campaign_of_report before insert or update of message_id, subject_id, click, payout_minor, currency on lead_conversions for each row execute function watch_report();
--> statement-breakpoint
create trigger reports_of_new_conversion after insert on conversions for each row when (new.enrollment_id is not null) execute function note_credited_reports();
--> statement-breakpoint
create trigger reports_of_conversion after update of enrollment_id on conversions for each row
  when (old.enrollment_id is distinct from new.enrollment_id) execute function note_credited_reports();
--> statement-breakpoint
create trigger put_off_of_new_enrollment before insert on enrollments for each row when (new.not_before <> '{}') execute function watch_put_off();
--> statement-breakpoint
create trigger put_off_of_enrollment before update of not_before on enrollments for each row
  when (old.not_before is distinct from new.not_before) execute function watch_put_off();
--> statement-breakpoint
create trigger mistakes_of_import after insert on import_errors referencing new table as found for each statement execute function count_mistakes();
--> statement-breakpoint
create trigger open_of_new_enrollment after insert on enrollments for each row when (new.ended_at is null) execute function count_open();
--> statement-breakpoint
create trigger open_of_enrollment after update of ended_at, version_id, sequence_id on enrollments for each row
  when ((old.ended_at is null, old.version_id, old.sequence_id) is distinct from (new.ended_at is null, new.version_id, new.sequence_id)) execute function count_open();
--> statement-breakpoint
-- What there is. The triggers hold writers of these tables off until this is committed, so that nothing is missed or counted twice. Texts, reports and imports are few beside
-- messages, and of enrollments only those that are put off now are written.
insert into open_counts (tenant_id, sequence_id, version_id, change, folded)
select e.tenant_id, e.sequence_id, e.version_id, count(*), true from enrollments e where e.ended_at is null group by 1, 2, 3;
--> statement-breakpoint
update compositions c set is_over = true
where exists (select from messages m where m.tenant_id = c.tenant_id and m.enrollment_id = c.enrollment_id and m.step_id = c.step_id and m.state <> 'failed')
  or exists (select from enrollments e where e.tenant_id = c.tenant_id and e.id = c.enrollment_id and e.ended_at is not null);
--> statement-breakpoint
update lead_conversions r set campaign_id = campaign_of_report(r) where num_nonnulls(r.subject_id, r.message_id) > 0;
--> statement-breakpoint
update imports i set mistakes = n.mistakes from (select x.tenant_id, x.import_id, count(*)::int as mistakes from import_errors x group by 1, 2) n
where i.tenant_id = n.tenant_id and i.id = n.import_id;
--> statement-breakpoint
update enrollments e set put_off_until = n.latest
from (select o.tenant_id, o.id, (select max(to_timestamp(k.value::float8 / 1000)) from jsonb_each_text(o.not_before) k) as latest
  from enrollments o where o.ended_at is null and o.not_before <> '{}') n
where e.tenant_id = n.tenant_id and e.id = n.id and n.latest > now();
