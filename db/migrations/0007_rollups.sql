CREATE TABLE "rollup_deltas" (
	"tenant_id" uuid NOT NULL,
	"hour" timestamp (3) with time zone NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "rollup_deltas_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"sequence_type" text NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"started" integer DEFAULT 0 NOT NULL,
	"purchased" integer DEFAULT 0 NOT NULL,
	"steps" integer DEFAULT 0 NOT NULL,
	"mails" integer DEFAULT 0 NOT NULL,
	"opened" integer DEFAULT 0 NOT NULL,
	"clicked" integer DEFAULT 0 NOT NULL,
	"orders" integer DEFAULT 0 NOT NULL,
	"revenue_minor" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "rollup_deltas_tenant_id_hour_seq_pk" PRIMARY KEY("tenant_id","hour","seq")
);
--> statement-breakpoint
ALTER TABLE "rollup_deltas" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "rollups" (
	"tenant_id" uuid NOT NULL,
	"grain" text NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"sequence_type" text NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"started" bigint DEFAULT 0 NOT NULL,
	"purchased" bigint DEFAULT 0 NOT NULL,
	"steps" bigint DEFAULT 0 NOT NULL,
	"mails" bigint DEFAULT 0 NOT NULL,
	"opened" bigint DEFAULT 0 NOT NULL,
	"clicked" bigint DEFAULT 0 NOT NULL,
	"orders" bigint DEFAULT 0 NOT NULL,
	"revenue_minor" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "rollups_tenant_id_grain_starts_at_sequence_type_currency_pk" PRIMARY KEY("tenant_id","grain","starts_at","sequence_type","currency"),
	CONSTRAINT "rollups_grain" CHECK (grain in ('hour', 'day'))
);
--> statement-breakpoint
ALTER TABLE "rollups" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "rollups" ADD CONSTRAINT "rollups_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "rollup_deltas" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "rollups" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint

-- The figures of analytics are sums that the database keeps itself. See docs/adr/0013-figures-are-sums-kept-by-the-database.md.
--
-- Triggers append to `rollup_deltas` what a change adds to the figures: what the row counts for now, less what it counted for before.
-- `fold_rollups` adds these rows up into `rollups`, by the hour and by the day (UTC). Whoever reads adds both, in one statement, so nothing
-- is missing and nothing counted twice. Nobody waits: appended rows are nobody else's, and only the folding touches a sum.
--
-- Deleting a row takes no history away; only correcting it does.
--
-- The triggers' functions run as the owner: the application may read figures, not write them. As in 0004, one plan serves every call.

-- Which messages count: said here and nowhere else. An unknown outcome counts as a step that went out, not as a mail.
create function counts_as_step(state text) returns boolean language sql immutable
return state in ('sent', 'unknown');
--> statement-breakpoint
create function counts_as_mail(state text, channel text) returns boolean language sql immutable
return state = 'sent' and channel is not distinct from 'email';
--> statement-breakpoint

-- All that an activated enrollment counts for, in unsummed rows: itself, its messages, the orders credited to it.
create function figures_of_enrollment(tenant uuid, enrollment uuid, stop_reason text)
returns table (currency text, started int, purchased int, steps int, mails int, opened int, clicked int, orders int, revenue_minor bigint)
language sql stable
begin atomic
  select '', 1, (stop_reason is not distinct from 'purchased')::int, 0, 0, 0, 0, 0, 0::bigint
  union all
  select '', 0, 0, counts_as_step(m.state)::int, counts_as_mail(m.state, m.channel)::int,
    (counts_as_mail(m.state, m.channel) and m.opened_at is not null)::int, (counts_as_mail(m.state, m.channel) and m.clicked_at is not null)::int,
    0, 0
  from messages m where m.tenant_id = tenant and m.enrollment_id = enrollment
  union all
  select c.currency, 0, 0, 0, 0, 0, 0, 1, c.value_minor
  from conversions c where c.tenant_id = tenant and c.enrollment_id = enrollment and c.reversed_at is null;
end;
--> statement-breakpoint

-- An enrollment that is activated, or moved to another hour or type, takes along what hangs on it. A step goes out only after the activation
-- of its enrollment was committed or in the same transaction, so that what the two triggers see of each other is never out of date.
create function count_enrollment() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.rollup_deltas
    (tenant_id, hour, sequence_type, currency, started, purchased, steps, mails, opened, clicked, orders, revenue_minor)
  select * from (
    select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.sequence_type, f.currency,
      sum(e.sign * f.started) as started, sum(e.sign * f.purchased) as purchased, sum(e.sign * f.steps) as steps,
      sum(e.sign * f.mails) as mails, sum(e.sign * f.opened) as opened, sum(e.sign * f.clicked) as clicked,
      sum(e.sign * f.orders) as orders, sum(e.sign * f.revenue_minor) as revenue_minor
    from (values
        (1, new.tenant_id, new.id, new.activated_at, new.sequence_type, new.stop_reason),
        (-1, old.tenant_id, old.id, old.activated_at, old.sequence_type, old.stop_reason)
      ) as e(sign, tenant_id, id, activated_at, sequence_type, stop_reason)
      cross join lateral public.figures_of_enrollment(e.tenant_id, e.id, e.stop_reason) f
    where e.activated_at is not null
    group by 1, 2, 3, 4) d
  where (d.started, d.purchased, d.steps, d.mails, d.opened, d.clicked, d.orders, d.revenue_minor) <> (0, 0, 0, 0, 0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create function count_message() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.rollup_deltas (tenant_id, hour, sequence_type, steps, mails, opened, clicked)
  select * from (
    select m.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.sequence_type,
      sum(m.sign * public.counts_as_step(m.state)::int) as steps,
      sum(m.sign * public.counts_as_mail(m.state, m.channel)::int) as mails,
      sum(m.sign * (public.counts_as_mail(m.state, m.channel) and m.opened_at is not null)::int) as opened,
      sum(m.sign * (public.counts_as_mail(m.state, m.channel) and m.clicked_at is not null)::int) as clicked
    from (values
        (1, new.tenant_id, new.enrollment_id, new.state, new.channel, new.opened_at, new.clicked_at),
        (-1, old.tenant_id, old.enrollment_id, old.state, old.channel, old.opened_at, old.clicked_at)
      ) as m(sign, tenant_id, enrollment_id, state, channel, opened_at, clicked_at)
      cross join lateral (
        select o.activated_at, o.sequence_type from public.enrollments o
        where o.tenant_id = m.tenant_id and o.id = m.enrollment_id and o.activated_at is not null offset 0) e
    group by 1, 2, 3) d
  where (d.steps, d.mails, d.opened, d.clicked) <> (0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create function count_conversion() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.rollup_deltas (tenant_id, hour, sequence_type, currency, orders, revenue_minor)
  select * from (
    select c.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.sequence_type, c.currency,
      sum(c.sign) as orders, sum(c.sign * c.value_minor) as revenue_minor
    from (values
        (1, new.tenant_id, new.enrollment_id, new.currency, new.value_minor, new.reversed_at),
        (-1, old.tenant_id, old.enrollment_id, old.currency, old.value_minor, old.reversed_at)
      ) as c(sign, tenant_id, enrollment_id, currency, value_minor, reversed_at)
      cross join lateral (
        select o.activated_at, o.sequence_type from public.enrollments o
        where o.tenant_id = c.tenant_id and o.id = c.enrollment_id and o.activated_at is not null offset 0) e
    where c.reversed_at is null
    group by 1, 2, 3, 4) d
  where (d.orders, d.revenue_minor) <> (0, 0);
  return null;
end $$;
--> statement-breakpoint

-- Add up to `max_rows` deltas to the sums, the hour's and the day's. One folding at a time: a second one has nothing to do.
-- Returns how many there were; a full batch means there may be more.
create function fold_rollups(max_rows int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  folded int;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.rollups')) then return 0; end if;
  with taken as (
    delete from public.rollup_deltas
    where ctid = any(array(select d.ctid from public.rollup_deltas d order by d.tenant_id, d.hour, d.seq limit max_rows))
    returning *
  ), added as (
    insert into public.rollups as r
      (tenant_id, grain, starts_at, sequence_type, currency, started, purchased, steps, mails, opened, clicked, orders, revenue_minor)
    select d.tenant_id, g.grain, date_trunc(g.grain, d.hour, 'UTC'), d.sequence_type, d.currency, sum(d.started), sum(d.purchased),
      sum(d.steps), sum(d.mails), sum(d.opened), sum(d.clicked), sum(d.orders), sum(d.revenue_minor)
    from taken d
      -- A tenant that was erased meanwhile has no figures.
      join public.tenants t on t.id = d.tenant_id
      cross join (values ('hour'), ('day')) as g(grain)
    group by 1, 2, 3, 4, 5
    on conflict (tenant_id, grain, starts_at, sequence_type, currency) do update set
      started = r.started + excluded.started, purchased = r.purchased + excluded.purchased, steps = r.steps + excluded.steps,
      mails = r.mails + excluded.mails, opened = r.opened + excluded.opened, clicked = r.clicked + excluded.clicked,
      orders = r.orders + excluded.orders, revenue_minor = r.revenue_minor + excluded.revenue_minor
  )
  select count(*) into folded from taken;
  return folded;
end $$;
--> statement-breakpoint

-- Count everything anew from the rows that are there; writers wait meanwhile. For the owner alone: what rows that are gone had counted for
-- is forgotten.
create function rebuild_rollups() returns void language plpgsql set search_path = pg_catalog, public as $$
begin
  perform pg_advisory_xact_lock(hashtext('rekindle.rollups'));
  lock table public.enrollments, public.messages, public.conversions in share row exclusive mode;
  delete from public.rollup_deltas;
  delete from public.rollups;
  insert into public.rollup_deltas
    (tenant_id, hour, sequence_type, currency, started, purchased, steps, mails, opened, clicked, orders, revenue_minor)
  select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC'), e.sequence_type, f.currency, sum(f.started), sum(f.purchased), sum(f.steps),
    sum(f.mails), sum(f.opened), sum(f.clicked), sum(f.orders), sum(f.revenue_minor)
  from public.enrollments e cross join lateral public.figures_of_enrollment(e.tenant_id, e.id, e.stop_reason) f
  where e.activated_at is not null
  group by 1, 2, 3, 4;
  while public.fold_rollups(100000) > 0 loop end loop;
end $$;
--> statement-breakpoint
revoke execute on function counts_as_step(text), counts_as_mail(text, text), figures_of_enrollment(uuid, uuid, text), count_enrollment(),
  count_message(), count_conversion(), fold_rollups(int), rebuild_rollups() from public;
--> statement-breakpoint
grant execute on function fold_rollups(int) to rekindle_app;
--> statement-breakpoint
grant select on rollups, rollup_deltas to rekindle_app;
--> statement-breakpoint

-- The conditions keep away what cannot change a figure: it costs nothing then, not even a call.
create trigger rollups_of_new_enrollment after insert on enrollments for each row
  when (new.activated_at is not null) execute function count_enrollment();
--> statement-breakpoint
create trigger rollups_of_enrollment after update on enrollments for each row
  when ((old.activated_at, old.sequence_type, old.stop_reason) is distinct from (new.activated_at, new.sequence_type, new.stop_reason)
    and (old.activated_at is not null or new.activated_at is not null))
  execute function count_enrollment();
--> statement-breakpoint
create trigger rollups_of_new_message after insert on messages for each row
  when (new.state in ('sent', 'unknown')) execute function count_message();
--> statement-breakpoint
create trigger rollups_of_message after update on messages for each row
  when ((old.enrollment_id, old.state, old.channel, old.opened_at is null, old.clicked_at is null)
      is distinct from (new.enrollment_id, new.state, new.channel, new.opened_at is null, new.clicked_at is null)
    and (old.state in ('sent', 'unknown') or new.state in ('sent', 'unknown')))
  execute function count_message();
--> statement-breakpoint
create trigger rollups_of_new_conversion after insert on conversions for each row
  when (new.enrollment_id is not null and new.reversed_at is null) execute function count_conversion();
--> statement-breakpoint
create trigger rollups_of_conversion after update on conversions for each row
  when ((old.enrollment_id, old.currency, old.value_minor, old.reversed_at is null)
      is distinct from (new.enrollment_id, new.currency, new.value_minor, new.reversed_at is null)
    and (old.enrollment_id is not null or new.enrollment_id is not null))
  execute function count_conversion();
--> statement-breakpoint

-- What was there before. The triggers above hold writers off until this is committed, so nothing falls in between.
select rebuild_rollups();
