-- No folding while columns are filled: an older worker would fold without them.
select pg_advisory_xact_lock(hashtext('rekindle.rollups'));
--> statement-breakpoint
CREATE TABLE "refunds" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"order_id" text NOT NULL,
	"refund_id" text NOT NULL,
	"currency" text,
	"amount_minor" bigint NOT NULL,
	"besides_total_minor" bigint DEFAULT 0 NOT NULL,
	"refunded_at" timestamp (3) with time zone NOT NULL,
	"told_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "refunds_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "refunds_refund" UNIQUE("tenant_id","connection_id","order_id","refund_id")
);
--> statement-breakpoint
ALTER TABLE "refunds" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "value_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "no_revenue" text;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "current_minor" bigint;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "current_currency" text;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "current_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "refunded_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "refunded_besides_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollup_deltas" ADD COLUMN "gross_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollup_deltas" ADD COLUMN "refunded_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollup_deltas" ADD COLUMN "cancelled_orders" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollup_deltas" ADD COLUMN "unknown_orders" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollups" ADD COLUMN "gross_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollups" ADD COLUMN "refunded_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollups" ADD COLUMN "cancelled_orders" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rollups" ADD COLUMN "unknown_orders" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_order_fk" FOREIGN KEY ("tenant_id","connection_id","order_id") REFERENCES "public"."conversions"("tenant_id","connection_id","order_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "refunds" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (amount_minor, besides_total_minor, currency, refunded_at, told_at) on refunds to rekindle_app;
--> statement-breakpoint

-- Orders after the stop: refunds, edits, cancellations, test orders. What each order counts for is said once, in `figures_of_order`.
-- docs/adr/0016-what-an-order-counts-for.md has the rule. What 0004 and 0007 say about plans and sums holds here too.

-- Of an order's refunds in one currency: their sum, and what the current total of `total_at` does not contain of it. A refund without a
-- currency is in the order's. A refund of the total's own instant is in it.
create function refunds_of_order(tenant uuid, connection uuid, order_name text, in_currency text, total_at timestamptz,
  out refunded bigint, out besides bigint) language sql stable
begin atomic
  select coalesce(sum(r.amount_minor), 0),
    coalesce(sum(case when r.refunded_at <= total_at then r.besides_total_minor else r.amount_minor end), 0)
  from refunds r
  where r.tenant_id = tenant and r.connection_id = connection and r.order_id = order_name and coalesce(r.currency, in_currency) = in_currency;
end;
--> statement-breakpoint

-- What one order counts for: nothing (no row) where it is no revenue. Gross: as ordered. Net: what the shop keeps, which is the current
-- total less what that does not contain of the refunds; without a current total, gross less all refunds; nothing once cancelled; never
-- below zero. A current total in another currency than the order's is no figure of it. An amount without a currency is unknown, and an
-- order of unknown value is counted as such, never as 0.
create function figures_of_order(o conversions)
returns table (currency text, orders int, cancelled_orders int, unknown_orders int, gross_minor bigint, refunded_minor bigint, net_minor bigint)
language sql immutable
begin atomic
  select case when m.gross is null then '' else m.currency end,
    (m.gross is not null and o.reversed_at is null)::int, (o.reversed_at is not null)::int, (m.gross is null and o.reversed_at is null)::int,
    coalesce(m.gross, 0), case when m.gross is null then 0 else o.refunded_minor end,
    case when m.gross is null or o.reversed_at is not null then 0
      else greatest(0, coalesce(m.total - o.refunded_besides_minor, m.gross - o.refunded_minor)) end
  from (select k.currency, k.total,
      case when k.currency is not null
        then coalesce(case when o.currency is not null then o.value_minor end, k.total + o.refunded_minor - o.refunded_besides_minor) end as gross
    from (select coalesce(o.currency, o.current_currency) as currency,
        case when coalesce(o.currency, o.current_currency) is not distinct from coalesce(o.current_currency, o.currency)
          then o.current_minor end as total) k) m
  where o.no_revenue is null and o.id is not null;
end;
--> statement-breakpoint

-- The currency of an order may become known, or change, after its refunds: they are summed again, whichever build writes it.
create function sum_refunds_again() returns trigger language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  select r.refunded, r.besides into new.refunded_minor, new.refunded_besides_minor
  from public.refunds_of_order(new.tenant_id, new.connection_id, new.order_id, coalesce(new.currency, new.current_currency), new.current_at) r;
  return new;
end $$;
--> statement-breakpoint
create trigger refunds_in_new_currency before update on conversions for each row
  when (old.currency is distinct from new.currency) execute function sum_refunds_again();
--> statement-breakpoint

create function figures_of_enrollment_2(tenant uuid, enrollment uuid, stop_reason text)
returns table (currency text, started int, purchased int, steps int, mails int, opened int, clicked int, orders int, revenue_minor bigint,
  gross_minor bigint, refunded_minor bigint, cancelled_orders int, unknown_orders int)
language sql stable
begin atomic
  select '', 1, (stop_reason is not distinct from 'purchased')::int, 0, 0, 0, 0, 0, 0::bigint, 0::bigint, 0::bigint, 0, 0
  union all
  select '', 0, 0, counts_as_step(m.state)::int, counts_as_mail(m.state, m.channel)::int,
    (counts_as_mail(m.state, m.channel) and m.opened_at is not null)::int, (counts_as_mail(m.state, m.channel) and m.clicked_at is not null)::int,
    0, 0, 0, 0, 0, 0
  from messages m where m.tenant_id = tenant and m.enrollment_id = enrollment
  union all
  select f.currency, 0, 0, 0, 0, 0, 0, f.orders, f.net_minor, f.gross_minor, f.refunded_minor, f.cancelled_orders, f.unknown_orders
  from conversions c cross join lateral figures_of_order(c) f where c.tenant_id = tenant and c.enrollment_id = enrollment;
end;
--> statement-breakpoint
create or replace function count_enrollment() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.rollup_deltas (tenant_id, hour, sequence_type, currency, started, purchased, steps, mails, opened, clicked, orders,
    revenue_minor, gross_minor, refunded_minor, cancelled_orders, unknown_orders)
  select * from (
    select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.sequence_type, f.currency,
      sum(e.sign * f.started) as started, sum(e.sign * f.purchased) as purchased, sum(e.sign * f.steps) as steps,
      sum(e.sign * f.mails) as mails, sum(e.sign * f.opened) as opened, sum(e.sign * f.clicked) as clicked,
      sum(e.sign * f.orders) as orders, sum(e.sign * f.revenue_minor) as revenue_minor, sum(e.sign * f.gross_minor) as gross_minor,
      sum(e.sign * f.refunded_minor) as refunded_minor, sum(e.sign * f.cancelled_orders) as cancelled_orders,
      sum(e.sign * f.unknown_orders) as unknown_orders
    from (values
        (1, new.tenant_id, new.id, new.activated_at, new.sequence_type, new.stop_reason),
        (-1, old.tenant_id, old.id, old.activated_at, old.sequence_type, old.stop_reason)
      ) as e(sign, tenant_id, id, activated_at, sequence_type, stop_reason)
      cross join lateral public.figures_of_enrollment_2(e.tenant_id, e.id, e.stop_reason) f
    where e.activated_at is not null
    group by 1, 2, 3, 4) d
  where (d.started, d.purchased, d.steps, d.mails, d.opened, d.clicked, d.orders, d.revenue_minor, d.gross_minor, d.refunded_minor,
    d.cancelled_orders, d.unknown_orders) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create or replace function count_conversion() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.rollup_deltas (tenant_id, hour, sequence_type, currency, orders, revenue_minor, gross_minor, refunded_minor,
    cancelled_orders, unknown_orders)
  select * from (
    select (c.o).tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.sequence_type, f.currency,
      sum(c.sign * f.orders) as orders, sum(c.sign * f.net_minor) as revenue_minor, sum(c.sign * f.gross_minor) as gross_minor,
      sum(c.sign * f.refunded_minor) as refunded_minor, sum(c.sign * f.cancelled_orders) as cancelled_orders,
      sum(c.sign * f.unknown_orders) as unknown_orders
    from (values (1, new), (-1, old)) as c(sign, o)
      cross join lateral public.figures_of_order(c.o) f
      cross join lateral (
        select p.activated_at, p.sequence_type from public.enrollments p
        where p.tenant_id = (c.o).tenant_id and p.id = (c.o).enrollment_id and p.activated_at is not null offset 0) e
    group by 1, 2, 3, 4) d
  where (d.orders, d.revenue_minor, d.gross_minor, d.refunded_minor, d.cancelled_orders, d.unknown_orders) <> (0, 0, 0, 0, 0, 0);
  return null;
end $$;
--> statement-breakpoint
create or replace trigger rollups_of_new_conversion after insert on conversions for each row
  when (new.enrollment_id is not null) execute function count_conversion();
--> statement-breakpoint
create or replace trigger rollups_of_conversion after update on conversions for each row
  when ((old.enrollment_id, old.currency, old.value_minor, old.reversed_at is null, old.no_revenue, old.current_minor, old.current_currency,
      old.refunded_minor, old.refunded_besides_minor)
    is distinct from (new.enrollment_id, new.currency, new.value_minor, new.reversed_at is null, new.no_revenue, new.current_minor,
      new.current_currency, new.refunded_minor, new.refunded_besides_minor)
    and (old.enrollment_id is not null or new.enrollment_id is not null))
  execute function count_conversion();
--> statement-breakpoint
create or replace function fold_rollups(max_rows int) returns int language plpgsql security definer
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
    insert into public.rollups as r (tenant_id, grain, starts_at, sequence_type, currency, started, purchased, steps, mails, opened, clicked,
      orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders, unknown_orders)
    select d.tenant_id, g.grain, date_trunc(g.grain, d.hour, 'UTC'), d.sequence_type, d.currency, sum(d.started), sum(d.purchased),
      sum(d.steps), sum(d.mails), sum(d.opened), sum(d.clicked), sum(d.orders), sum(d.revenue_minor), sum(d.gross_minor),
      sum(d.refunded_minor), sum(d.cancelled_orders), sum(d.unknown_orders)
    from taken d
      -- A tenant that was erased meanwhile has no figures.
      join public.tenants t on t.id = d.tenant_id
      cross join (values ('hour'), ('day')) as g(grain)
    group by 1, 2, 3, 4, 5
    on conflict (tenant_id, grain, starts_at, sequence_type, currency) do update set
      started = r.started + excluded.started, purchased = r.purchased + excluded.purchased, steps = r.steps + excluded.steps,
      mails = r.mails + excluded.mails, opened = r.opened + excluded.opened, clicked = r.clicked + excluded.clicked,
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
  delete from public.rollup_deltas;
  delete from public.rollups;
  insert into public.rollup_deltas (tenant_id, hour, sequence_type, currency, started, purchased, steps, mails, opened, clicked, orders,
    revenue_minor, gross_minor, refunded_minor, cancelled_orders, unknown_orders)
  select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC'), e.sequence_type, f.currency, sum(f.started), sum(f.purchased), sum(f.steps),
    sum(f.mails), sum(f.opened), sum(f.clicked), sum(f.orders), sum(f.revenue_minor), sum(f.gross_minor), sum(f.refunded_minor),
    sum(f.cancelled_orders), sum(f.unknown_orders)
  from public.enrollments e cross join lateral public.figures_of_enrollment_2(e.tenant_id, e.id, e.stop_reason) f
  where e.activated_at is not null
  group by 1, 2, 3, 4;
  while public.fold_rollups(100000) > 0 loop end loop;
end $$;
--> statement-breakpoint

-- Until now gross and net were one figure, from which a cancellation was taken. Old sums keep what they have counted, also of rows that are
-- gone; cancelled orders whose rows are still there get their gross back.
update rollups set gross_minor = revenue_minor where revenue_minor <> 0;
--> statement-breakpoint
update rollup_deltas set gross_minor = revenue_minor where revenue_minor <> 0;
--> statement-breakpoint
insert into rollup_deltas (tenant_id, hour, sequence_type, currency, gross_minor, cancelled_orders)
select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC'), e.sequence_type, f.currency, sum(f.gross_minor), sum(f.cancelled_orders)
from conversions c
  join enrollments e on e.tenant_id = c.tenant_id and e.id = c.enrollment_id and e.activated_at is not null
  cross join lateral figures_of_order(c) f
where c.reversed_at is not null
group by 1, 2, 3, 4;
--> statement-breakpoint

-- The figures of an order for its story. Keys whose value says nothing are left out.
create function story_of_order(o conversions) returns jsonb language sql stable
begin atomic
  select jsonb_strip_nulls(jsonb_build_object('value_minor', o.value_minor, 'currency', coalesce(o.currency, o.current_currency),
    'no_revenue', o.no_revenue, 'cancelled', case when o.reversed_at is not null then true end,
    'refunded_minor', nullif(o.refunded_minor, 0),
    'net_minor', (select f.net_minor from figures_of_order(o) f where f.unknown_orders = 0 and f.net_minor is distinct from o.value_minor)));
end;
--> statement-breakpoint

-- Keep an order and credit it. orders/create and orders/paid speak of the same order, which is counted once: of currency and amount the
-- latest statement that is readable holds, by the provider's time, of one instant the later arrival.
-- An order is no revenue for good when any event calls it a test; cancelled or declined, as long as no event has shown it alive.
-- What became of it may be known before it is.
create function credit_order(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid;
  at timestamptz := (w ->> 'at')::timestamptz;
  told record; known conversions; now_is conversions; was_told boolean; known_rank int; told_rank int; real boolean;
begin
  select * into told from jsonb_to_record(w -> 'order') as c(id uuid, event_id uuid, connection_id uuid, order_id text, contact_id uuid,
    subject_id uuid, enrollment_id uuid, currency text, value_minor bigint, no_revenue text);
  insert into conversions as c (tenant_id, id, connection_id, order_id, contact_id, subject_id, enrollment_id, currency, value_minor, value_at,
    placed_at, no_revenue)
  values (tenant, told.id, told.connection_id, told.order_id, told.contact_id, told.subject_id, told.enrollment_id, told.currency,
    told.value_minor, at, at, told.no_revenue)
  on conflict (tenant_id, connection_id, order_id) do nothing
  returning c.* into now_is;
  if now_is.id is null then
    select c.* into known from conversions c
    where c.tenant_id = tenant and c.connection_id = told.connection_id and c.order_id = told.order_id for no key update;
    was_told := known.value_at is not null or num_nonnulls(known.contact_id, known.subject_id, known.enrollment_id) > 0;
    now_is := known;
    now_is.enrollment_id := coalesce(known.enrollment_id, told.enrollment_id);
    now_is.subject_id := coalesce(known.subject_id, told.subject_id);
    now_is.contact_id := coalesce(known.contact_id, told.contact_id);
    now_is.placed_at := case when was_told then least(known.placed_at, at) else at end;
    known_rank := case when known.currency is null then 0 when known.value_minor is null then 1 else 2 end;
    told_rank := case when told.currency is null then 0 when told.value_minor is null then 1 else 2 end;
    -- What an older build noted for an order that it did not know (a cancellation, of USD 0) is no amount.
    if not was_told or told_rank > known_rank or (told_rank = known_rank and at >= coalesce(known.value_at, at)) then
      now_is.currency := told.currency;
      now_is.value_minor := told.value_minor;
      now_is.value_at := at;
    end if;
    now_is.no_revenue := case
      when 'test' in (known.no_revenue, told.no_revenue) then 'test'
      when not was_told then told.no_revenue
      when known.no_revenue is not null and told.no_revenue is not null then greatest(known.no_revenue, told.no_revenue) end;
    update conversions c set enrollment_id = now_is.enrollment_id, subject_id = now_is.subject_id, contact_id = now_is.contact_id,
      currency = now_is.currency, value_minor = now_is.value_minor, value_at = now_is.value_at, placed_at = now_is.placed_at,
      no_revenue = now_is.no_revenue
    where c.tenant_id = tenant and c.id = known.id
    returning c.* into now_is;
  end if;
  if now_is.enrollment_id is null then return; end if;
  insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
  select tenant, told.event_id, now_is.enrollment_id, case
      when known.enrollment_id is not null and now_is.no_revenue is not distinct from known.no_revenue then 'order_corrected'
      when now_is.no_revenue is null then 'recovered'
      else 'order_void' end,
    (w ->> 'inbox_id')::uuid, jsonb_build_object('value_minor', null, 'currency', null) || story_of_order(now_is)
  where known.enrollment_id is null or (now_is.no_revenue, now_is.currency, now_is.value_minor) is distinct from
    (known.no_revenue, known.currency, known.value_minor);
  -- An enrollment that an order has ended is bought if any of its orders is real.
  if known.id is not null or not exists (select from jsonb_to_recordset(w -> 'ends') as n(id uuid) where n.id = now_is.enrollment_id) then
    real := exists (select from conversions c where c.tenant_id = tenant and c.enrollment_id = now_is.enrollment_id and c.no_revenue is null);
    update enrollments e set stop_reason = case when real then 'purchased' else 'order_void' end,
      status = case when real then 'CONVERTED' else 'EXITED' end
    where e.tenant_id = tenant and e.id = now_is.enrollment_id and e.stop_reason = case when real then 'order_void' else 'purchased' end;
  end if;
end $$;
--> statement-breakpoint

-- Write what became of an order: its refunds, its current total, its cancellation, in any order and as often as it comes. The order itself
-- may not be known yet. Locks the order's row and nothing else.
create function update_order(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid;
  inbox_id uuid := (w ->> 'inbox_id')::uuid;
  event_at timestamptz := (w ->> 'at')::timestamptz;
  -- Of a clock that tells whole seconds, nothing of the same second is newer than what arrives now.
  newer_until timestamptz := case when w -> 'to_the_second' = 'true' then date_trunc('second', event_at) + interval '999 milliseconds'
    else event_at end;
  told_currency text := w ->> 'currency';
  total bigint := (w ->> 'current_minor')::bigint;
  known conversions; now_is conversions; changed jsonb; effective text;
begin
  insert into conversions (tenant_id, id, connection_id, order_id, placed_at)
  values (tenant, (w ->> 'id')::uuid, (w ->> 'connection_id')::uuid, w ->> 'order_id', event_at)
  on conflict (tenant_id, connection_id, order_id) do nothing;
  select c.* into known from conversions c
  where c.tenant_id = tenant and c.connection_id = (w ->> 'connection_id')::uuid and c.order_id = w ->> 'order_id' for no key update;
  now_is := known;
  if w ? 'refunds' then
    with told as (
      -- A total that is reported together with a refund contains it, whatever the two clocks say.
      select r.*, least(r.at, case when total is not null then event_at end) as counts_from
      from jsonb_to_recordset(w -> 'refunds') as r(id uuid, event_id uuid, refund_id text, amount_minor bigint, besides_total_minor bigint,
        at timestamptz)
    ), kept as (
      insert into refunds as r (tenant_id, id, connection_id, order_id, refund_id, currency, amount_minor, besides_total_minor, refunded_at, told_at)
      select tenant, t.id, known.connection_id, known.order_id, t.refund_id, told_currency, t.amount_minor, t.besides_total_minor, t.counts_from, event_at
      from told t
      on conflict (tenant_id, connection_id, order_id, refund_id) do update set
        refunded_at = least(r.refunded_at, excluded.refunded_at), told_at = greatest(r.told_at, excluded.told_at),
        (currency, amount_minor, besides_total_minor) = (select n.currency, n.amount_minor, n.besides_total_minor from (values
            (true, excluded.currency, excluded.amount_minor, excluded.besides_total_minor),
            (false, r.currency, r.amount_minor, r.besides_total_minor)
          ) as n(newer, currency, amount_minor, besides_total_minor) where n.newer = (r.told_at <= newer_until))
      returning r.refund_id, r.currency, r.amount_minor
    )
    -- `refunds` is what it was before this statement.
    select jsonb_agg(jsonb_build_object('event_id', t.event_id, 'currency', k.currency, 'amount_minor', k.amount_minor) order by t.at, t.refund_id)
      into changed
    from kept k join told t on t.refund_id = k.refund_id
      left join refunds o on o.tenant_id = tenant and o.connection_id = known.connection_id and o.order_id = known.order_id
        and o.refund_id = k.refund_id
    where k.amount_minor is distinct from coalesce(o.amount_minor, 0);
  end if;
  if total is not null and (known.current_at is null or known.current_at <= newer_until) then
    now_is.current_minor := total;
    now_is.current_currency := told_currency;
    now_is.current_at := greatest(known.current_at, event_at);
  end if;
  if w -> 'cancelled' = 'true' then now_is.reversed_at := least(known.reversed_at, event_at); end if;
  effective := coalesce(now_is.currency, now_is.current_currency);
  select r.refunded, r.besides into now_is.refunded_minor, now_is.refunded_besides_minor
  from refunds_of_order(tenant, known.connection_id, known.order_id, effective, now_is.current_at) r;
  if now_is is distinct from known then
    update conversions c set current_minor = now_is.current_minor, current_currency = now_is.current_currency, current_at = now_is.current_at,
      reversed_at = now_is.reversed_at, refunded_minor = now_is.refunded_minor, refunded_besides_minor = now_is.refunded_besides_minor
    where c.tenant_id = tenant and c.id = known.id;
  end if;
  if known.enrollment_id is null then return; end if;
  insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
  select tenant, s.event_id, known.enrollment_id, s.type, inbox_id, story_of_order(now_is) || jsonb_strip_nulls(s.data)
  from (
    select r.event_id, 'order_refunded' as type, jsonb_build_object('amount_minor', r.amount_minor,
      'amount_currency', coalesce(r.currency, effective), 'not_counted', case when r.currency <> effective then true end) as data
    from jsonb_to_recordset(coalesce(changed, '[]')) as r(event_id uuid, currency text, amount_minor bigint)
    union all
    select (w ->> 'edited_id')::uuid, 'order_edited', jsonb_build_object('amount_minor', now_is.current_minor,
      'amount_currency', coalesce(now_is.current_currency, effective), 'not_counted', case when now_is.current_currency <> effective then true end)
    -- A total that refunds alone explain is no edit.
    where now_is.current_minor is distinct from known.current_minor
      and coalesce(now_is.current_minor + now_is.refunded_minor - now_is.refunded_besides_minor - now_is.value_minor, 1)
        is distinct from coalesce(known.current_minor + known.refunded_minor - known.refunded_besides_minor - known.value_minor, 0)
    union all
    select (w ->> 'cancelled_id')::uuid, 'order_cancelled', '{}'::jsonb where known.reversed_at is null and now_is.reversed_at is not null) s;
end $$;
--> statement-breakpoint
revoke execute on function refunds_of_order(uuid, uuid, text, text, timestamptz), figures_of_order(conversions), sum_refunds_again(),
  figures_of_enrollment_2(uuid, uuid, text), story_of_order(conversions), credit_order(jsonb), update_order(jsonb) from public;
--> statement-breakpoint
grant execute on function refunds_of_order(uuid, uuid, text, text, timestamptz), figures_of_order(conversions), story_of_order(conversions),
  credit_order(jsonb), update_order(jsonb) to rekindle_app;
