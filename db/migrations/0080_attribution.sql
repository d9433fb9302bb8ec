CREATE TABLE "attribution_credits" (
	"tenant_id" uuid NOT NULL,
	"conversion_id" uuid NOT NULL,
	"message_id" uuid NOT NULL,
	"model" text NOT NULL,
	"day" timestamp (3) with time zone NOT NULL,
	"sequence_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"channel" text NOT NULL,
	"variant" text NOT NULL,
	"campaign" text NOT NULL,
	"source" text NOT NULL,
	"currency" text NOT NULL,
	"order_micros" bigint DEFAULT 0 NOT NULL,
	"gross_minor" bigint DEFAULT 0 NOT NULL,
	"refunded_minor" bigint DEFAULT 0 NOT NULL,
	"net_minor" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "attribution_credits_tenant_id_conversion_id_message_id_model_pk" PRIMARY KEY("tenant_id","conversion_id","message_id","model")
);
--> statement-breakpoint
ALTER TABLE "attribution_credits" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "attribution_marks" (
	"tenant_id" uuid NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "attribution_marks_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"conversion_id" uuid,
	"contact_id" uuid,
	"after" "xid8",
	CONSTRAINT "attribution_marks_tenant_id_seq_pk" PRIMARY KEY("tenant_id","seq"),
	CONSTRAINT "attribution_marks_one" CHECK (num_nonnulls(conversion_id, contact_id) <= 1)
);
--> statement-breakpoint
ALTER TABLE "attribution_marks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "attribution_sums" (
	"tenant_id" uuid NOT NULL,
	"model" text NOT NULL,
	"day" timestamp (3) with time zone NOT NULL,
	"sequence_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"channel" text NOT NULL,
	"variant" text NOT NULL,
	"campaign" text NOT NULL,
	"source" text NOT NULL,
	"currency" text NOT NULL,
	"order_micros" bigint DEFAULT 0 NOT NULL,
	"gross_minor" bigint DEFAULT 0 NOT NULL,
	"refunded_minor" bigint DEFAULT 0 NOT NULL,
	"net_minor" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "attribution_sums_pk" PRIMARY KEY("tenant_id","model","day","sequence_id","step_id","channel","variant","campaign","source","currency")
);
--> statement-breakpoint
ALTER TABLE "attribution_sums" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "attribution_sums" ADD CONSTRAINT "attribution_sums_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attribution_marks_order" ON "attribution_marks" USING btree ("tenant_id","conversion_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "attribution_credits" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "attribution_marks" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "attribution_sums" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
-- What each message before an order is credited with, by each model, in rows that add up to what the order counts for. Messages count that a provider
-- accepted, to any contact of the person, within the store's window before the order. `domain/attribution/models.ts` says the same; a test compares both.
-- Source: docs/rules.md#rule-103
create function attribution_of(tenant uuid, conversion uuid)
returns table (message_id uuid, model text, day timestamptz, sequence_id uuid, step_id text, channel text, variant text, campaign text, source text,
  currency text, order_micros bigint, gross_minor bigint, refunded_minor bigint, net_minor bigint)
language sql stable
begin atomic
  with known as (
    select o.placed_at, f.currency, p.person_id, 1000000 * (f.orders + f.unknown_orders) as micros, f.gross_minor, f.refunded_minor, f.net_minor,
      coalesce((t.settings #>> '{attribution,windowDays}')::float8, 30) / t.time_scale as window_days,
      coalesce((t.settings #>> '{attribution,halfLifeDays}')::float8, 7) / t.time_scale as half_life_days
    from conversions o join tenants t on t.id = o.tenant_id join contacts p on p.tenant_id = o.tenant_id and p.id = o.contact_id
      cross join lateral figures_of_order(o) f
    where o.tenant_id = tenant and o.id = conversion),
  touches as (
    select m.id, e.sequence_id, m.step_id, coalesce(m.channel, '') as channel, coalesce(m.variant, '') as variant, coalesce(e.campaign_id::text, '') as campaign,
      coalesce(s.details ->> 'source', '') as source, extract(epoch from k.placed_at - m.settled_at)::float8 / 86400 as age,
      row_number() over earliest as n, count(*) over () as touches, min(extract(epoch from k.placed_at - m.settled_at)::float8 / 86400) over () as latest_age
    from known k join contacts c on c.tenant_id = tenant and c.person_id = k.person_id
      join messages m on m.tenant_id = tenant and m.contact_id = c.id and m.state = 'sent'
        and m.settled_at <= k.placed_at and m.settled_at > k.placed_at - make_interval(secs => k.window_days * 86400)
      join enrollments e on e.tenant_id = tenant and e.id = m.enrollment_id
      join subjects s on s.tenant_id = tenant and s.id = e.subject_id
    window earliest as (order by m.settled_at, m.id)),
  weighed as (
    select t.*, w.model, w.weight / sum(w.weight) over (partition by w.model) as weight
    from touches t cross join known k cross join lateral (values
      ('last', case when t.n = t.touches then 1 else 0 end::float8),
      ('linear', 1::float8),
      ('position', case when t.n in (1, t.touches) then 0.4 else 0.2 / (t.touches - 2) end::float8),
      ('time_decay', power(2::float8, -(t.age - t.latest_age) / k.half_life_days))) as w(model, weight)),
  shared as (
    select w.id, w.model, w.n, a.name, a.amount, floor(a.amount * w.weight + 5e-7)::bigint as whole,
      round(((a.amount * w.weight - floor(a.amount * w.weight + 5e-7)) * 1e6)::numeric) as remainder
    from weighed w cross join known k cross join lateral (values
      ('micros', k.micros), ('gross', k.gross_minor), ('refunded', k.refunded_minor), ('net', k.net_minor)) as a(name, amount)),
  settled as (
    select s.id, s.model, s.name, s.whole + (row_number() over (partition by s.model, s.name order by s.remainder desc, s.n desc)
      <= s.amount - sum(s.whole) over (partition by s.model, s.name))::int as amount
    from shared s)
  select w.id, w.model, date_trunc('day', k.placed_at, 'UTC'), w.sequence_id, w.step_id, w.channel, w.variant, w.campaign, w.source, k.currency,
    sum(a.amount) filter (where a.name = 'micros')::bigint, sum(a.amount) filter (where a.name = 'gross')::bigint,
    sum(a.amount) filter (where a.name = 'refunded')::bigint, sum(a.amount) filter (where a.name = 'net')::bigint
  from weighed w cross join known k join settled a on a.id = w.id and a.model = w.model
  group by w.id, w.model, k.placed_at, w.sequence_id, w.step_id, w.channel, w.variant, w.campaign, w.source, k.currency;
end;
--> statement-breakpoint
-- The orders that a mark is about.
create function marked_for_attribution(m attribution_marks) returns setof uuid language sql stable
begin atomic
  select o.id from conversions o where o.tenant_id = m.tenant_id and o.id = m.conversion_id
  union
  select o.id
  from contacts c join contacts k on k.tenant_id = c.tenant_id and k.person_id = c.person_id
    join conversions o on o.tenant_id = k.tenant_id and o.contact_id = k.id
  where c.tenant_id = m.tenant_id and c.id = m.contact_id
  union
  select o.id from conversions o where o.tenant_id = m.tenant_id and num_nonnulls(m.conversion_id, m.contact_id) = 0;
end;
--> statement-breakpoint
-- Add the credits of some orders to the sums, or take them out (`sign` -1). Called by `fold_attribution` alone, which holds its lock.
create function add_attribution(tenant uuid, orders uuid[], sign int) returns void language sql
begin atomic
  insert into attribution_sums as s
    (tenant_id, model, day, sequence_id, step_id, channel, variant, campaign, source, currency, order_micros, gross_minor, refunded_minor, net_minor)
  select c.tenant_id, c.model, c.day, c.sequence_id, c.step_id, c.channel, c.variant, c.campaign, c.source, c.currency,
    sign * sum(c.order_micros), sign * sum(c.gross_minor), sign * sum(c.refunded_minor), sign * sum(c.net_minor)
  from attribution_credits c join tenants t on t.id = c.tenant_id
  where c.tenant_id = tenant and c.conversion_id = any(orders)
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
  on conflict (tenant_id, model, day, sequence_id, step_id, channel, variant, campaign, source, currency) do update set
    order_micros = s.order_micros + excluded.order_micros, gross_minor = s.gross_minor + excluded.gross_minor,
    refunded_minor = s.refunded_minor + excluded.refunded_minor, net_minor = s.net_minor + excluded.net_minor;
end;
--> statement-breakpoint
-- Compute the credits of marked orders anew and move the difference into the sums; returns how many marks were done, 0 also while another process folds. A mark is
-- done once every transaction that ran when it was first seen has ended: one of them may have looked for orders before this order was committed.
-- SECURITY DEFINER: it spans tenants, and the application may not write sums. Source: docs/adr/0091-attribution-is-kept.md
create function fold_attribution(max_marks int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  done public.attribution_marks[];
  orders record;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.attribution')) then return 0; end if;
  update public.attribution_marks set after = pg_snapshot_xmax(pg_current_snapshot()) where after is null;
  -- All orders of a store are done one by one: they may be many.
  insert into public.attribution_marks (tenant_id, conversion_id, after)
  select m.tenant_id, o.id, m.after from public.attribution_marks m cross join lateral public.marked_for_attribution(m) o(id)
  where num_nonnulls(m.conversion_id, m.contact_id) = 0;
  delete from public.attribution_marks m where num_nonnulls(m.conversion_id, m.contact_id) = 0;
  done := array(select m from public.attribution_marks m where m.after <= pg_snapshot_xmin(pg_current_snapshot()) order by m.tenant_id, m.seq limit max_marks);
  for orders in
    select m.tenant_id, array_agg(distinct o.id) as ids from unnest(done) m cross join lateral public.marked_for_attribution(m) o(id) group by 1
  loop
    perform public.add_attribution(orders.tenant_id, orders.ids, -1);
    delete from public.attribution_credits c where c.tenant_id = orders.tenant_id and c.conversion_id = any(orders.ids);
    insert into public.attribution_credits
      (tenant_id, conversion_id, message_id, model, day, sequence_id, step_id, channel, variant, campaign, source, currency, order_micros, gross_minor, refunded_minor, net_minor)
    select orders.tenant_id, o.id, a.message_id, a.model, a.day, a.sequence_id, a.step_id, a.channel, a.variant, a.campaign, a.source, a.currency,
      a.order_micros, a.gross_minor, a.refunded_minor, a.net_minor
    from unnest(orders.ids) o(id) cross join lateral public.attribution_of(orders.tenant_id, o.id) a;
    perform public.add_attribution(orders.tenant_id, orders.ids, 1);
  end loop;
  delete from public.attribution_marks m using unnest(done) d where m.tenant_id = d.tenant_id and m.seq = d.seq;
  return cardinality(done);
end $$;
--> statement-breakpoint
-- Trigger: note whose credits a change may alter. It computes none: a writer must not wait for a sum, nor see what another one is about to commit. SECURITY
-- DEFINER: the application may not write figures. Source: docs/adr/0091-attribution-is-kept.md
create function mark_for_attribution() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  case tg_table_name
    when 'conversions' then
      insert into public.attribution_marks (tenant_id, conversion_id) values (new.tenant_id, new.id);
    when 'messages' then
      -- Nearly always the person has ordered nothing: then there is no credit to be changed. An order that comes meanwhile is folded after this transaction.
      if exists (select from public.contacts c join public.contacts k on k.tenant_id = c.tenant_id and k.person_id = c.person_id
          join public.conversions o on o.tenant_id = k.tenant_id and o.contact_id = k.id
        where c.tenant_id = new.tenant_id and c.id = new.contact_id) then
        insert into public.attribution_marks (tenant_id, contact_id) values (new.tenant_id, new.contact_id);
      end if;
    when 'contacts' then
      insert into public.attribution_marks (tenant_id, contact_id) values (new.tenant_id, new.id), (old.tenant_id, old.person_id);
    when 'enrollments' then
      insert into public.attribution_marks (tenant_id, contact_id) values (new.tenant_id, new.contact_id);
    when 'subjects' then
      insert into public.attribution_marks (tenant_id, contact_id)
      select distinct e.tenant_id, e.contact_id from public.enrollments e where e.tenant_id = new.tenant_id and e.subject_id = new.id;
    when 'tenants' then
      insert into public.attribution_marks (tenant_id) values (new.id);
  end case;
  return null;
end $$;
--> statement-breakpoint
revoke execute on function attribution_of(uuid, uuid), marked_for_attribution(attribution_marks), add_attribution(uuid, uuid[], int), fold_attribution(int), mark_for_attribution() from public;
--> statement-breakpoint
grant execute on function attribution_of(uuid, uuid), marked_for_attribution(attribution_marks), fold_attribution(int) to rekindle_app;
--> statement-breakpoint
grant select on attribution_credits, attribution_sums, attribution_marks to rekindle_app;
--> statement-breakpoint
-- The conditions keep away what cannot change a credit.
create trigger attribution_of_new_conversion after insert on conversions for each row
  when (new.contact_id is not null) execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_conversion after update on conversions for each row
  when ((old.contact_id, old.currency, old.value_minor, old.placed_at, old.reversed_at is null, old.no_revenue, old.current_minor, old.current_currency, old.refunded_minor,
      old.refunded_besides_minor)
    is distinct from (new.contact_id, new.currency, new.value_minor, new.placed_at, new.reversed_at is null, new.no_revenue, new.current_minor, new.current_currency,
      new.refunded_minor, new.refunded_besides_minor))
  execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_new_message after insert on messages for each row
  when (new.state = 'sent') execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_message after update on messages for each row
  when ((old.state, old.settled_at, old.channel, old.variant) is distinct from (new.state, new.settled_at, new.channel, new.variant)
    and (old.state = 'sent' or new.state = 'sent'))
  execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_person after update of person_id on contacts for each row
  when (old.person_id <> new.person_id) execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_source after update of details on subjects for each row
  when (old.details ->> 'source' is distinct from new.details ->> 'source') execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_enrollment after update of subject_id, campaign_id on enrollments for each row
  when ((old.subject_id, old.campaign_id) is distinct from (new.subject_id, new.campaign_id)) execute function mark_for_attribution();
--> statement-breakpoint
create trigger attribution_of_settings after update of settings, time_scale on tenants for each row
  when ((old.settings -> 'attribution', old.time_scale) is distinct from (new.settings -> 'attribution', new.time_scale))
  execute function mark_for_attribution();
--> statement-breakpoint
-- What there was before is computed by the first foldings.
insert into attribution_marks (tenant_id) select id from tenants;
