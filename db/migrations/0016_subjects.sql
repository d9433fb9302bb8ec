-- All locks at once and in the order in which a webhook takes them, so that no writer is met halfway; no folding while the sums move.
select pg_advisory_xact_lock(hashtext('rekindle.rollups'));
--> statement-breakpoint
lock table subjects, enrollments in access exclusive mode;
--> statement-breakpoint
lock table messages, conversions in share row exclusive mode;
--> statement-breakpoint
lock table rollup_deltas, rollups in access exclusive mode;
--> statement-breakpoint
CREATE TABLE "sum_deltas" (
	"tenant_id" uuid NOT NULL,
	"hour" timestamp (3) with time zone NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "sum_deltas_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"subject_kind" text NOT NULL,
	"segment" text NOT NULL,
	"channel" text DEFAULT '' NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"started" integer DEFAULT 0 NOT NULL,
	"purchased" integer DEFAULT 0 NOT NULL,
	"steps" integer DEFAULT 0 NOT NULL,
	"sent" integer DEFAULT 0 NOT NULL,
	"opened" integer DEFAULT 0 NOT NULL,
	"clicked" integer DEFAULT 0 NOT NULL,
	"orders" integer DEFAULT 0 NOT NULL,
	"revenue_minor" bigint DEFAULT 0 NOT NULL,
	"gross_minor" bigint DEFAULT 0 NOT NULL,
	"refunded_minor" bigint DEFAULT 0 NOT NULL,
	"cancelled_orders" integer DEFAULT 0 NOT NULL,
	"unknown_orders" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "sum_deltas_tenant_id_hour_seq_pk" PRIMARY KEY("tenant_id","hour","seq")
);
--> statement-breakpoint
ALTER TABLE "sum_deltas" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "sums" (
	"tenant_id" uuid NOT NULL,
	"grain" text NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"subject_kind" text NOT NULL,
	"segment" text NOT NULL,
	"channel" text DEFAULT '' NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"started" bigint DEFAULT 0 NOT NULL,
	"purchased" bigint DEFAULT 0 NOT NULL,
	"steps" bigint DEFAULT 0 NOT NULL,
	"sent" bigint DEFAULT 0 NOT NULL,
	"opened" bigint DEFAULT 0 NOT NULL,
	"clicked" bigint DEFAULT 0 NOT NULL,
	"orders" bigint DEFAULT 0 NOT NULL,
	"revenue_minor" bigint DEFAULT 0 NOT NULL,
	"gross_minor" bigint DEFAULT 0 NOT NULL,
	"refunded_minor" bigint DEFAULT 0 NOT NULL,
	"cancelled_orders" bigint DEFAULT 0 NOT NULL,
	"unknown_orders" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "sums_pk" PRIMARY KEY("tenant_id","grain","starts_at","subject_kind","segment","channel","currency"),
	CONSTRAINT "sums_grain" CHECK (grain in ('hour', 'day'))
);
--> statement-breakpoint
ALTER TABLE "sums" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "sums" ADD CONSTRAINT "sums_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "sum_deltas" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "sums" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "subject_kind" text;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "segment" text;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "value_minor" bigint;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "value_minor" bigint;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "details" jsonb;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "details_version" integer;--> statement-breakpoint

-- A subject is of any kind: what only carts have moves to `details`, and the value and the segment get general names.
--
-- The build before reads and writes the old columns, so triggers copy each write to the other side, column by column: `before update of`
-- fires for the columns that a statement sets, and only for them. Rows that nobody has written since are not filled here, because that would
-- write every cart and every enrollment in one transaction; the functions below read both kinds of rows. Filling them in batches, and dropping
-- the old columns, is for the release after.

-- The details of a cart as the old columns have them: version 1 of `domain/subjects/cart/details.ts`.
create function cart_details(items jsonb, restore_url text, origin text, bought jsonb) returns jsonb language sql immutable
return jsonb_build_object('items', coalesce(items, '[]'), 'restoreUrl', restore_url, 'origin', origin, 'bought', bought);
--> statement-breakpoint
-- What a subject's own kind knows of it, whoever wrote the row.
create function details_of_subject(s subjects) returns jsonb language sql immutable
return coalesce(s.details, case when s.kind = 'cart' then cart_details(s.items, s.restore_url, s.origin, s.bought) end);
--> statement-breakpoint
-- Both sides are equal once a row was written; before, the new one is null.
create function value_of_subject(s subjects) returns bigint language sql immutable return coalesce(s.value_minor, s.total_minor);
--> statement-breakpoint
create function value_of_enrollment(e enrollments) returns bigint language sql immutable return coalesce(e.value_minor, e.cart_value_minor);
--> statement-breakpoint
create function segment_of_enrollment(e enrollments) returns text language sql immutable return coalesce(e.segment, e.sequence_type);
--> statement-breakpoint
create function kind_of_enrollment(e enrollments) returns text language sql immutable return coalesce(e.subject_kind, 'cart');
--> statement-breakpoint
-- What the build before reads in place of a segment that it does not know.
create function sequence_type_of(segment text) returns text language sql immutable
return case when segment in ('first_time', 'returning', 'high_value', 'low_stock') then segment when segment = 'customer' then 'returning'
  else 'first_time' end;
--> statement-breakpoint

create function fill_new_subject() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if new.details is not null then
    new.total_minor := new.value_minor;
    if new.kind = 'cart' then
      new.items := coalesce(new.details -> 'items', '[]');
      new.restore_url := new.details ->> 'restoreUrl';
      new.origin := new.details ->> 'origin';
      new.bought := nullif(new.details -> 'bought', 'null');
    end if;
  elsif new.kind = 'cart' then
    new.value_minor := new.total_minor;
    new.details := public.cart_details(new.items, new.restore_url, new.origin, new.bought);
    new.details_version := 1;
  end if;
  return new;
end $$;
--> statement-breakpoint
create function details_to_old_columns() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.items := coalesce(new.details -> 'items', '[]');
  new.restore_url := new.details ->> 'restoreUrl';
  new.origin := new.details ->> 'origin';
  new.bought := nullif(new.details -> 'bought', 'null');
  return new;
end $$;
--> statement-breakpoint
create function old_columns_to_details() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.details := public.cart_details(new.items, new.restore_url, new.origin, new.bought);
  new.details_version := 1;
  return new;
end $$;
--> statement-breakpoint
create function value_to_total() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.total_minor := new.value_minor;
  return new;
end $$;
--> statement-breakpoint
create function total_to_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.value_minor := new.total_minor;
  return new;
end $$;
--> statement-breakpoint
create trigger subjects_new before insert on subjects for each row execute function fill_new_subject();
--> statement-breakpoint
create trigger subjects_details before update of details on subjects for each row
  when (new.kind = 'cart' and new.details is not null and new.details is distinct from old.details)
  execute function details_to_old_columns();
--> statement-breakpoint
create trigger subjects_old_columns before update of items, restore_url, origin, bought on subjects for each row
  when (new.kind = 'cart' and (new.details is null or (new.items, new.restore_url, new.origin, new.bought)
    is distinct from (old.items, old.restore_url, old.origin, old.bought)))
  execute function old_columns_to_details();
--> statement-breakpoint
create trigger subjects_value before update of value_minor on subjects for each row
  when (new.value_minor is distinct from new.total_minor) execute function value_to_total();
--> statement-breakpoint
create trigger subjects_total before update of total_minor on subjects for each row
  when (new.value_minor is distinct from new.total_minor) execute function total_to_value();
--> statement-breakpoint

create function fill_new_enrollment() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  -- The build before begins sequences about carts only.
  new.subject_kind := coalesce(new.subject_kind, 'cart');
  if new.segment is null then
    new.segment := new.sequence_type;
    new.value_minor := new.cart_value_minor;
  else
    new.sequence_type := public.sequence_type_of(new.segment);
    new.cart_value_minor := new.value_minor;
  end if;
  return new;
end $$;
--> statement-breakpoint
create function value_to_cart_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.cart_value_minor := new.value_minor;
  return new;
end $$;
--> statement-breakpoint
create function cart_value_to_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.value_minor := new.cart_value_minor;
  return new;
end $$;
--> statement-breakpoint
create function segment_to_sequence_type() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.sequence_type := public.sequence_type_of(new.segment);
  return new;
end $$;
--> statement-breakpoint
create function sequence_type_to_segment() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.segment := new.sequence_type;
  return new;
end $$;
--> statement-breakpoint
create trigger enrollments_new before insert on enrollments for each row execute function fill_new_enrollment();
--> statement-breakpoint
create trigger enrollments_value before update of value_minor on enrollments for each row
  when (new.value_minor is distinct from new.cart_value_minor) execute function value_to_cart_value();
--> statement-breakpoint
create trigger enrollments_cart_value before update of cart_value_minor on enrollments for each row
  when (new.value_minor is distinct from new.cart_value_minor) execute function cart_value_to_value();
--> statement-breakpoint
create trigger enrollments_segment before update of segment on enrollments for each row
  when (new.segment is distinct from old.segment) execute function segment_to_sequence_type();
--> statement-breakpoint
create trigger enrollments_sequence_type before update of sequence_type on enrollments for each row
  when (new.sequence_type is distinct from old.sequence_type) execute function sequence_type_to_segment();
--> statement-breakpoint
revoke execute on function cart_details(jsonb, text, text, jsonb), details_of_subject(subjects), value_of_subject(subjects),
  value_of_enrollment(enrollments), segment_of_enrollment(enrollments), kind_of_enrollment(enrollments), sequence_type_of(text),
  fill_new_subject(), details_to_old_columns(), old_columns_to_details(), value_to_total(), total_to_value(), fill_new_enrollment(),
  value_to_cart_value(), cart_value_to_value(), segment_to_sequence_type(), sequence_type_to_segment() from public;
--> statement-breakpoint
-- The triggers run as whoever writes.
grant execute on function cart_details(jsonb, text, text, jsonb), details_of_subject(subjects), value_of_subject(subjects),
  value_of_enrollment(enrollments), segment_of_enrollment(enrollments), kind_of_enrollment(enrollments), sequence_type_of(text) to rekindle_app;
--> statement-breakpoint

-- Figures by kind of subject and by channel. `sums` and `sum_deltas` take the place of `rollups` and `rollup_deltas`, which the build before
-- goes on reading: as views, in which carts and their emails are what they were. One set of triggers feeds both. What 0007 and 0010 say about
-- them holds (docs/adr/0013-figures-are-sums-kept-by-the-database.md); what an order counts for is unchanged.

-- An unknown outcome counts as a step that went out, not as a message that was sent.
create function counts_as_sent(state text) returns boolean language sql immutable return state = 'sent';
--> statement-breakpoint
-- All that an activated enrollment counts for, in unsummed rows: itself, its messages by channel, the orders credited to it by currency.
create function figures_of_enrollment_3(tenant uuid, enrollment uuid, stop_reason text)
returns table (channel text, currency text, started int, purchased int, steps int, sent int, opened int, clicked int, orders int,
  revenue_minor bigint, gross_minor bigint, refunded_minor bigint, cancelled_orders int, unknown_orders int)
language sql stable
begin atomic
  select '', '', 1, (stop_reason is not distinct from 'purchased')::int, 0, 0, 0, 0, 0, 0::bigint, 0::bigint, 0::bigint, 0, 0
  union all
  select coalesce(m.channel, ''), '', 0, 0, counts_as_step(m.state)::int, counts_as_sent(m.state)::int,
    (counts_as_sent(m.state) and m.opened_at is not null)::int, (counts_as_sent(m.state) and m.clicked_at is not null)::int, 0, 0, 0, 0, 0, 0
  from messages m where m.tenant_id = tenant and m.enrollment_id = enrollment
  union all
  select '', f.currency, 0, 0, 0, 0, 0, 0, f.orders, f.net_minor, f.gross_minor, f.refunded_minor, f.cancelled_orders, f.unknown_orders
  from conversions c cross join lateral figures_of_order(c) f where c.tenant_id = tenant and c.enrollment_id = enrollment;
end;
--> statement-breakpoint
create or replace function count_enrollment() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, channel, currency,
    started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
    unknown_orders)
  select * from (
    select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.subject_kind, e.segment, f.channel, f.currency,
      sum(e.sign * f.started) as started, sum(e.sign * f.purchased) as purchased, sum(e.sign * f.steps) as steps,
      sum(e.sign * f.sent) as sent, sum(e.sign * f.opened) as opened, sum(e.sign * f.clicked) as clicked,
      sum(e.sign * f.orders) as orders, sum(e.sign * f.revenue_minor) as revenue_minor, sum(e.sign * f.gross_minor) as gross_minor,
      sum(e.sign * f.refunded_minor) as refunded_minor, sum(e.sign * f.cancelled_orders) as cancelled_orders,
      sum(e.sign * f.unknown_orders) as unknown_orders
    from (values
        (1, new.tenant_id, new.id, new.activated_at, public.kind_of_enrollment(new), public.segment_of_enrollment(new), new.stop_reason),
        (-1, old.tenant_id, old.id, old.activated_at, public.kind_of_enrollment(old), public.segment_of_enrollment(old), old.stop_reason)
      ) as e(sign, tenant_id, id, activated_at, subject_kind, segment, stop_reason)
      cross join lateral public.figures_of_enrollment_3(e.tenant_id, e.id, e.stop_reason) f
    where e.activated_at is not null
    group by 1, 2, 3, 4, 5, 6) d
  where (d.started, d.purchased, d.steps, d.sent, d.opened, d.clicked, d.orders, d.revenue_minor, d.gross_minor, d.refunded_minor,
    d.cancelled_orders, d.unknown_orders)
    <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create or replace function count_message() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, channel, steps, sent, opened, clicked)
  select * from (
    select m.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.subject_kind, e.segment, m.channel,
      sum(m.sign * public.counts_as_step(m.state)::int) as steps,
      sum(m.sign * public.counts_as_sent(m.state)::int) as sent,
      sum(m.sign * (public.counts_as_sent(m.state) and m.opened_at is not null)::int) as opened,
      sum(m.sign * (public.counts_as_sent(m.state) and m.clicked_at is not null)::int) as clicked
    from (values
        (1, new.tenant_id, new.enrollment_id, new.state, coalesce(new.channel, ''), new.opened_at, new.clicked_at),
        (-1, old.tenant_id, old.enrollment_id, old.state, coalesce(old.channel, ''), old.opened_at, old.clicked_at)
      ) as m(sign, tenant_id, enrollment_id, state, channel, opened_at, clicked_at)
      cross join lateral (
        select o.activated_at, public.kind_of_enrollment(o) as subject_kind, public.segment_of_enrollment(o) as segment
        from public.enrollments o
        where o.tenant_id = m.tenant_id and o.id = m.enrollment_id and o.activated_at is not null offset 0) e
    group by 1, 2, 3, 4, 5) d
  where (d.steps, d.sent, d.opened, d.clicked) <> (0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create or replace function count_conversion() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, currency, orders, revenue_minor, gross_minor, refunded_minor,
    cancelled_orders, unknown_orders)
  select * from (
    select (c.o).tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.subject_kind, e.segment, f.currency,
      sum(c.sign * f.orders) as orders, sum(c.sign * f.net_minor) as revenue_minor, sum(c.sign * f.gross_minor) as gross_minor,
      sum(c.sign * f.refunded_minor) as refunded_minor, sum(c.sign * f.cancelled_orders) as cancelled_orders,
      sum(c.sign * f.unknown_orders) as unknown_orders
    from (values (1, new), (-1, old)) as c(sign, o)
      cross join lateral public.figures_of_order(c.o) f
      cross join lateral (
        select p.activated_at, public.kind_of_enrollment(p) as subject_kind, public.segment_of_enrollment(p) as segment
        from public.enrollments p
        where p.tenant_id = (c.o).tenant_id and p.id = (c.o).enrollment_id and p.activated_at is not null offset 0) e
    group by 1, 2, 3, 4, 5) d
  where (d.orders, d.revenue_minor, d.gross_minor, d.refunded_minor, d.cancelled_orders, d.unknown_orders) <> (0, 0, 0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create or replace trigger rollups_of_enrollment after update on enrollments for each row
  when ((old.activated_at, coalesce(old.subject_kind, 'cart'), coalesce(old.segment, old.sequence_type), old.stop_reason)
      is distinct from (new.activated_at, coalesce(new.subject_kind, 'cart'), coalesce(new.segment, new.sequence_type), new.stop_reason)
    and (old.activated_at is not null or new.activated_at is not null))
  execute function count_enrollment();
--> statement-breakpoint
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
  return folded;
end $$;
--> statement-breakpoint
create or replace function rebuild_rollups() returns void language plpgsql set search_path = pg_catalog, public as $$
begin
  perform pg_advisory_xact_lock(hashtext('rekindle.rollups'));
  lock table public.enrollments, public.messages, public.conversions in share row exclusive mode;
  delete from public.sum_deltas;
  delete from public.sums;
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, channel, currency,
    started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
    unknown_orders)
  select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC'), public.kind_of_enrollment(e), public.segment_of_enrollment(e), f.channel, f.currency,
    sum(f.started), sum(f.purchased), sum(f.steps), sum(f.sent), sum(f.opened), sum(f.clicked), sum(f.orders), sum(f.revenue_minor),
    sum(f.gross_minor), sum(f.refunded_minor), sum(f.cancelled_orders), sum(f.unknown_orders)
  from public.enrollments e cross join lateral public.figures_of_enrollment_3(e.tenant_id, e.id, e.stop_reason) f
  where e.activated_at is not null
  group by 1, 2, 3, 4, 5, 6;
  while public.fold_rollups(100000) > 0 loop end loop;
end $$;
--> statement-breakpoint

-- What was summed until now was about carts, and what it counted of messages were emails: these figures get rows of their own. Steps on another
-- channel, of which no build had one, count as emails.
insert into sums (tenant_id, grain, starts_at, subject_kind, segment, channel, currency, started, purchased, orders, revenue_minor,
  gross_minor, refunded_minor, cancelled_orders, unknown_orders)
select tenant_id, grain, starts_at, 'cart', sequence_type, '', currency, started, purchased, orders, revenue_minor, gross_minor,
  refunded_minor, cancelled_orders, unknown_orders
from rollups;
--> statement-breakpoint
insert into sums (tenant_id, grain, starts_at, subject_kind, segment, channel, currency, steps, sent, opened, clicked)
select tenant_id, grain, starts_at, 'cart', sequence_type, 'email', currency, steps, mails, opened, clicked
from rollups where (steps, mails, opened, clicked) <> (0, 0, 0, 0);
--> statement-breakpoint
insert into sum_deltas (tenant_id, hour, subject_kind, segment, channel, currency, started, purchased, orders, revenue_minor, gross_minor,
  refunded_minor, cancelled_orders, unknown_orders)
select tenant_id, hour, 'cart', sequence_type, '', currency, started, purchased, orders, revenue_minor, gross_minor, refunded_minor,
  cancelled_orders, unknown_orders
from rollup_deltas;
--> statement-breakpoint
insert into sum_deltas (tenant_id, hour, subject_kind, segment, channel, currency, steps, sent, opened, clicked)
select tenant_id, hour, 'cart', sequence_type, 'email', currency, steps, mails, opened, clicked
from rollup_deltas where (steps, mails, opened, clicked) <> (0, 0, 0, 0);
--> statement-breakpoint
-- contract: only triggers and fold_rollups write it, and they are replaced above; who reads it finds the view of the same name
drop table rollup_deltas;
--> statement-breakpoint
-- contract: only fold_rollups writes it, which is replaced above; who reads it finds the view of the same name
drop table rollups;
--> statement-breakpoint
create view rollups with (security_invoker = true) as
select tenant_id, grain, starts_at, segment as sequence_type, currency, sum(started)::bigint as started, sum(purchased)::bigint as purchased,
  sum(steps)::bigint as steps, coalesce(sum(sent) filter (where channel = 'email'), 0)::bigint as mails,
  coalesce(sum(opened) filter (where channel = 'email'), 0)::bigint as opened,
  coalesce(sum(clicked) filter (where channel = 'email'), 0)::bigint as clicked, sum(orders)::bigint as orders,
  sum(revenue_minor)::bigint as revenue_minor, sum(gross_minor)::bigint as gross_minor, sum(refunded_minor)::bigint as refunded_minor,
  sum(cancelled_orders)::bigint as cancelled_orders, sum(unknown_orders)::bigint as unknown_orders
from sums where subject_kind = 'cart'
group by tenant_id, grain, starts_at, segment, currency;
--> statement-breakpoint
create view rollup_deltas with (security_invoker = true) as
select tenant_id, hour, seq, segment as sequence_type, currency, started, purchased, steps,
  case when channel = 'email' then sent else 0 end as mails, case when channel = 'email' then opened else 0 end as opened,
  case when channel = 'email' then clicked else 0 end as clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
  unknown_orders
from sum_deltas where subject_kind = 'cart';
--> statement-breakpoint
grant select on sums, sum_deltas, rollups, rollup_deltas to rekindle_app;
--> statement-breakpoint
grant update (value_minor) on enrollments to rekindle_app;
--> statement-breakpoint
revoke execute on function counts_as_sent(text), figures_of_enrollment_3(uuid, uuid, text) from public;
