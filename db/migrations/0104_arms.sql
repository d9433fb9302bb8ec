-- What people count for in the arms that they were assigned to is kept, one person at a time (docs/adr/0123-arms-are-kept-by-person.md). Until the first foldings have been through
-- everybody, figures of arms are counted from rows, as before.
CREATE TABLE "arm_figures" (
	"tenant_id" uuid NOT NULL,
	"person_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"scope_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"variant" text NOT NULL,
	"shares" jsonb NOT NULL,
	"assigned_at" timestamp (3) with time zone NOT NULL,
	"people" integer NOT NULL,
	"converted" integer NOT NULL,
	"opt_outs" integer NOT NULL,
	"complaints" integer NOT NULL,
	"refunds" integer NOT NULL,
	"sent" integer NOT NULL,
	"opened" integer NOT NULL,
	"clicked" integer NOT NULL,
	"revenue" jsonb NOT NULL,
	CONSTRAINT "arm_figures_pk" PRIMARY KEY("tenant_id","person_id","kind","scope_id","step_id","variant")
);
--> statement-breakpoint
ALTER TABLE "arm_figures" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "arm_sums" (
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"scope_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"variant" text NOT NULL,
	"shares" jsonb NOT NULL,
	"grain" text NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"currency" text NOT NULL,
	"people" bigint NOT NULL,
	"converted" bigint NOT NULL,
	"opt_outs" bigint NOT NULL,
	"complaints" bigint NOT NULL,
	"refunds" bigint NOT NULL,
	"sent" bigint NOT NULL,
	"opened" bigint NOT NULL,
	"clicked" bigint NOT NULL,
	"amount" numeric NOT NULL,
	"squares" numeric NOT NULL,
	CONSTRAINT "arm_sums_pk" PRIMARY KEY("tenant_id","kind","scope_id","step_id","grain","starts_at","variant","shares","currency"),
	CONSTRAINT "arm_sums_grain" CHECK (grain in ('hour', 'day'))
);
--> statement-breakpoint
ALTER TABLE "arm_sums" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "course_marks" ADD COLUMN "contact_id" uuid;--> statement-breakpoint
ALTER TABLE "course_marks" ADD COLUMN "account_id" uuid;--> statement-breakpoint
ALTER TABLE "course_marks" ADD COLUMN "scope_id" uuid;--> statement-breakpoint
ALTER TABLE "course_marks" ADD COLUMN "done_to" uuid;--> statement-breakpoint
ALTER TABLE "arm_figures" ADD CONSTRAINT "arm_figures_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "arm_sums" ADD CONSTRAINT "arm_sums_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "arm_figures_assigned" ON "arm_figures" USING btree ("tenant_id","kind","scope_id","step_id","assigned_at");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "arm_figures" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "arm_sums" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

--> statement-breakpoint
-- What these people count for in the arms that they were assigned to, a row for each: all kinds, scopes and steps, or one. Of several assignments of a person the first counts, and what
-- happens from then on until the window is over.
--   holdout  of a sequence: `converted` by an order that is revenue, cancelled or not
--   band     of a sequence about risk, the same people: `converted` where the account did what is predicted not to happen, `revenue` by its behaviour
--   variant  of a step of a sequence, or of the whole of it (`*`): `converted` by an order that stands; the messages of the sequence, where it is the whole
--   test     of a campaign: as variants
--   message  messages of a step or a test that were sent, by the variant that each is of, whoever got them and whenever
-- `opt_outs`, `complaints` and `refunds` count within the window so far; whether it is over, a reader decides by `assigned_at`. Source: docs/adr/0123-arms-are-kept-by-person.md
-- Rows are looked up by arrays of ids and joined by hashes, so that thousands of people take as long as they are many, whatever is known about the tables.
create function figures_of_arms(tenant uuid, ids uuid[], of_kind text, of_scope uuid, of_step text) returns setof arm_figures
language plpgsql stable set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set enable_nestloop = off set jit = off as $$
declare
  time_scale float8; predicted text; predicted_within interval; has_letters boolean; contact_ids uuid[]; enrollment_ids uuid[];
begin
  select t.time_scale, coalesce(t.settings -> 'riskPrediction' ->> 'what', 'no_purchase'), make_interval(hours => 24 * coalesce((t.settings -> 'riskPrediction' ->> 'withinDays')::int, 60)),
    exists (select from public.variant_assignments v where v.tenant_id = tenant) or exists (select from public.experiment_assignments x where x.tenant_id = tenant)
  into time_scale, predicted, predicted_within, has_letters from public.tenants t where t.id = tenant;
  contact_ids := array(select k.id from public.contacts k where k.tenant_id = tenant and k.person_id = any(ids));
  if has_letters and (coalesce(of_kind, 'message') = 'message' or coalesce(of_step, '*') = '*') then
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
  select tenant, l.person_id, 'message', coalesce(l.experiment_id, l.sequence_id), case when l.experiment_id is null then l.step_id else '' end, l.variant, '{}', timestamptz(3) 'epoch', 0,
    0, 0, 0, 0, count(*)::int, (count(*) filter (where l.opened))::int, (count(*) filter (where l.clicked))::int, '{}'
  from letters l
  where coalesce(of_kind, 'message') = 'message' and l.variant is not null and coalesce(l.experiment_id, l.sequence_id) = coalesce(of_scope, l.experiment_id, l.sequence_id)
    and (of_step is null or of_step = case when l.experiment_id is null then l.step_id else '' end)
  group by 2, 4, 5, 6;
end $$;

--> statement-breakpoint
-- The contacts after this id, or all of them, that were assigned in a sequence or in a test of a campaign: at least the first so many; null: all.
create function people_in_scope(tenant uuid, scope uuid, after uuid, most int) returns setof uuid language sql stable
set enable_seqscan = off
begin atomic
  (select a.contact_id from assignments a where a.tenant_id = tenant and a.sequence_id = scope and (after is null or a.contact_id > after) order by a.contact_id limit most)
  union
  (select a.contact_id from variant_assignments a where a.tenant_id = tenant and a.sequence_id = scope and (after is null or a.contact_id > after) order by a.contact_id limit most)
  union
  (select a.contact_id from experiment_assignments a where a.tenant_id = tenant and a.experiment_id = scope and (after is null or a.contact_id > after) order by a.contact_id limit most);
end;

--> statement-breakpoint
-- The people whose arms these marks of a store are about: also whoever a contact was before it became part of somebody.
create function people_of_marks(tenant uuid, marks course_marks[]) returns setof uuid language plpgsql stable
set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
begin
  return query
  with m as materialized (select n.* from unnest(marks) n),
  scopes as materialized (
    select n.scope_id as id, n.done_to from m n where n.scope_id is not null
    union all
    select a.id, null::uuid
    from (select s.id from public.sequences s where s.tenant_id = tenant union all select x.id from public.experiments x where x.tenant_id = tenant) a
    where exists (select from m n where num_nonnulls(n.subject_id, n.enrollment_id, n.message_id, n.contact_id, n.account_id, n.scope_id) = 0)),
  contact_ids as materialized (
    select n.contact_id as id from m n where n.contact_id is not null
    union
    select e.contact_id from m n join public.enrollments e on e.tenant_id = tenant and e.id = n.enrollment_id
    union
    select e.contact_id from m n join public.enrollments e on e.tenant_id = tenant and e.subject_id = n.account_id
    union
    select p.contact_id from scopes s cross join lateral public.people_in_scope(tenant, s.id, s.done_to, null) p(contact_id))
  select n.contact_id from m n where n.contact_id is not null
  union
  select c.person_id from contact_ids i join public.contacts c on c.tenant_id = tenant and c.id = i.id;
end $$;

--> statement-breakpoint
-- Take what these people are in the sums of arms with out of them, and put in what their rows say now. What stays as it is costs no write.
-- Source: docs/adr/0123-arms-are-kept-by-person.md
create function add_arms(tenant uuid, ids uuid[]) returns void language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
begin
  with fresh as materialized (
    select f.* from public.figures_of_arms(tenant, ids, null, null, null) f),
  kept as materialized (
    select k.* from public.arm_figures k where k.tenant_id = tenant and k.person_id = any(ids)),
  gone as materialized (select k.* from kept k except all select f.* from fresh f),
  come as materialized (select f.* from fresh f except all select k.* from kept k),
  removed as (
    delete from public.arm_figures k using gone g
    where k.tenant_id = tenant and (k.person_id, k.kind, k.scope_id, k.step_id, k.variant) = (g.person_id, g.kind, g.scope_id, g.step_id, g.variant)
      and not exists (select from come n where (n.person_id, n.kind, n.scope_id, n.step_id, n.variant) = (g.person_id, g.kind, g.scope_id, g.step_id, g.variant))),
  stored as (
    insert into public.arm_figures as k select n.* from come n
    on conflict (tenant_id, person_id, kind, scope_id, step_id, variant) do update set
      shares = excluded.shares, assigned_at = excluded.assigned_at, people = excluded.people, converted = excluded.converted, opt_outs = excluded.opt_outs,
      complaints = excluded.complaints, refunds = excluded.refunds, sent = excluded.sent, opened = excluded.opened, clicked = excluded.clicked, revenue = excluded.revenue),
  change as materialized (
    select 1 as sign, n.* from come n
    union all
    select -1, g.* from gone g),
  moved as (
    select h.kind, h.scope_id, h.step_id, h.variant, h.shares, date_trunc('hour', h.assigned_at, 'UTC') as hour, '' as currency, sum(h.sign * h.people) as people,
      sum(h.sign * h.converted) as converted, sum(h.sign * h.opt_outs) as opt_outs, sum(h.sign * h.complaints) as complaints, sum(h.sign * h.refunds) as refunds,
      sum(h.sign * h.sent) as sent, sum(h.sign * h.opened) as opened, sum(h.sign * h.clicked) as clicked, 0::numeric as amount, 0::numeric as squares
    from change h group by 1, 2, 3, 4, 5, 6
    union all
    select h.kind, h.scope_id, h.step_id, h.variant, h.shares, date_trunc('hour', h.assigned_at, 'UTC'), r.key, 0, 0, 0, 0, 0, 0, 0, 0, sum(h.sign * r.value::numeric),
      sum(h.sign * r.value::numeric * r.value::numeric)
    from change h cross join lateral jsonb_each_text(h.revenue) r group by 1, 2, 3, 4, 5, 6, 7)
  insert into public.arm_sums as s (tenant_id, kind, scope_id, step_id, grain, starts_at, variant, shares, currency, people, converted, opt_outs, complaints, refunds, sent,
    opened, clicked, amount, squares)
  select tenant, m.kind, m.scope_id, m.step_id, g.grain, date_trunc(g.grain, m.hour, 'UTC'), m.variant, m.shares, m.currency, sum(m.people), sum(m.converted), sum(m.opt_outs),
    sum(m.complaints), sum(m.refunds), sum(m.sent), sum(m.opened), sum(m.clicked), sum(m.amount), sum(m.squares)
  from moved m cross join (values ('hour'), ('day')) as g(grain)
  where (m.people, m.converted, m.opt_outs, m.complaints, m.refunds, m.sent, m.opened, m.clicked, m.amount, m.squares) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9
  on conflict (tenant_id, kind, scope_id, step_id, grain, starts_at, variant, shares, currency) do update set
    people = s.people + excluded.people, converted = s.converted + excluded.converted, opt_outs = s.opt_outs + excluded.opt_outs,
    complaints = s.complaints + excluded.complaints, refunds = s.refunds + excluded.refunds, sent = s.sent + excluded.sent, opened = s.opened + excluded.opened,
    clicked = s.clicked + excluded.clicked, amount = s.amount + excluded.amount, squares = s.squares + excluded.squares;
end $$;

--> statement-breakpoint
-- Rows to add up: what the people of these arms count for, by the time of their assignment. No row lies on both sides of a bound, so that a sum from a bound on, or up to before it,
-- is exact to the microsecond: days that have no bound in them, hours of the other days, and of hours that a bound divides, each person. What is not folded in yet is taken from
-- the rows; `with_marked` is false where the caller does that for many arms at once. One statement, so one snapshot of all of it. Source: docs/adr/0123-arms-are-kept-by-person.md
create function pieces_of_arms(tenant uuid, of_kind text, of_scope uuid, of_step text, bounds timestamptz[], with_marked boolean)
returns table (step_id text, variant text, shares jsonb, currency text, at timestamptz, people bigint, converted bigint, opt_outs bigint, complaints bigint, refunds bigint,
  sent bigint, opened bigint, clicked bigint, amount numeric, squares numeric)
language plpgsql stable set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
declare
  days timestamptz[] := array(select distinct date_trunc('day', b, 'UTC') from unnest(bounds) b where b <> date_trunc('day', b, 'UTC'));
  hours timestamptz[] := array(select distinct date_trunc('hour', b, 'UTC') from unnest(bounds) b where b <> date_trunc('hour', b, 'UTC'));
  marks public.course_marks[] := array(select m from public.course_marks m where m.tenant_id = tenant and with_marked);
begin
  return query
  with marked as materialized (select p.id from public.people_of_marks(tenant, marks) p(id) where cardinality(marks) > 0),
  each as (
    select 1 as sign, k.* from unnest(hours) h join public.arm_figures k on k.assigned_at >= h and k.assigned_at < h + interval '1 hour'
    where k.tenant_id = tenant and k.kind = of_kind and k.scope_id = of_scope and k.step_id = of_step
    union all
    select -1, k.* from marked m join public.arm_figures k on k.person_id = m.id
    where k.tenant_id = tenant and k.kind = of_kind and k.scope_id = of_scope and k.step_id = of_step
    union all
    select 1, f.* from (select array_agg(m.id) as ids from marked m having count(*) > 0) a cross join lateral public.figures_of_arms(tenant, a.ids, of_kind, of_scope, of_step) f)
  select s.step_id, s.variant, s.shares, s.currency, s.starts_at, s.people, s.converted, s.opt_outs, s.complaints, s.refunds, s.sent, s.opened, s.clicked, s.amount, s.squares
  from public.arm_sums s
  where s.tenant_id = tenant and s.kind = of_kind and s.scope_id = of_scope and s.step_id = of_step and s.grain = 'day' and not s.starts_at = any(days)
  union all
  select s.step_id, s.variant, s.shares, s.currency, s.starts_at, s.people, s.converted, s.opt_outs, s.complaints, s.refunds, s.sent, s.opened, s.clicked, s.amount, s.squares
  from unnest(days) d join public.arm_sums s on s.starts_at >= d and s.starts_at < d + interval '24 hours'
  where s.tenant_id = tenant and s.kind = of_kind and s.scope_id = of_scope and s.step_id = of_step and s.grain = 'hour' and not s.starts_at = any(hours)
  union all
  select e.step_id, e.variant, e.shares, '', e.assigned_at, e.sign * e.people::bigint, e.sign * e.converted::bigint, e.sign * e.opt_outs::bigint, e.sign * e.complaints::bigint,
    e.sign * e.refunds::bigint, e.sign * e.sent::bigint, e.sign * e.opened::bigint, e.sign * e.clicked::bigint, 0, 0
  from each e
  union all
  select e.step_id, e.variant, e.shares, r.key, e.assigned_at, 0, 0, 0, 0, 0, 0, 0, 0, e.sign * r.value::numeric, e.sign * r.value::numeric * r.value::numeric
  from each e cross join lateral jsonb_each_text(e.revenue) r;
end $$;

--> statement-breakpoint
-- Trigger: note which accounts' behaviour changed, once a statement: an import brings the behaviour of many. SECURITY DEFINER: the application may not write figures.
-- Source: docs/adr/0123-arms-are-kept-by-person.md
create function mark_accounts() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  -- Visits and the like say neither that somebody stayed nor what they bought.
  insert into public.course_marks (tenant_id, account_id)
  select distinct c.tenant_id, c.subject_id from changed c where c.kind in ('order', 'message', 'call');
  return null;
end $$;

--> statement-breakpoint
-- The subjects of this tenant whose figures are to be computed anew.
create or replace function subjects_of_marks(tenant uuid) returns setof uuid language sql stable set enable_seqscan = off
begin atomic
  select coalesce(m.subject_id, e.subject_id)
  from course_marks m
    left join messages k on k.tenant_id = tenant and k.id = m.message_id
    left join enrollments e on e.tenant_id = tenant and e.id = coalesce(m.enrollment_id, k.enrollment_id)
  where m.tenant_id = tenant and coalesce(m.subject_id, e.subject_id) is not null
  union
  select s.id from subjects s
  where s.tenant_id = tenant
    and exists (select from course_marks m where m.tenant_id = tenant and num_nonnulls(m.subject_id, m.enrollment_id, m.message_id, m.contact_id, m.account_id, m.scope_id) = 0);
end;

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
    when 'messages' then
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
revoke execute on function figures_of_arms(uuid, uuid[], text, uuid, text), people_in_scope(uuid, uuid, uuid, int), people_of_marks(uuid, course_marks[]), add_arms(uuid, uuid[]),
  pieces_of_arms(uuid, text, uuid, text, timestamptz[], boolean), mark_accounts() from public;
--> statement-breakpoint
grant execute on function figures_of_arms(uuid, uuid[], text, uuid, text), people_in_scope(uuid, uuid, uuid, int), people_of_marks(uuid, course_marks[]),
  pieces_of_arms(uuid, text, uuid, text, timestamptz[], boolean) to rekindle_app;
--> statement-breakpoint
grant select on arm_figures, arm_sums to rekindle_app;
--> statement-breakpoint
-- The conditions keep away what cannot change a figure.
create trigger arm_of_assignment after insert or update on assignments for each row execute function mark_course('assigned');
--> statement-breakpoint
create trigger arm_of_variant_assignment after insert or update on variant_assignments for each row execute function mark_course('assigned');
--> statement-breakpoint
create trigger arm_of_experiment_assignment after insert or update on experiment_assignments for each row execute function mark_course('assigned');
--> statement-breakpoint
create trigger arm_of_contact after update on contacts for each row
  when (old.person_id <> new.person_id or (old.lifecycle = 'DO_NOT_CONTACT') <> (new.lifecycle = 'DO_NOT_CONTACT')) execute function mark_course('contacts');
--> statement-breakpoint
create trigger arm_of_consent after insert or update on consents for each row
  when (new.state = 'denied' and consent_basis(new.basis, new.source) = 'person') execute function mark_course('assigned');
--> statement-breakpoint
create trigger arm_of_new_behaviour after insert on behaviours referencing new table as changed for each statement execute function mark_accounts();
--> statement-breakpoint
create trigger arm_of_behaviour after update on behaviours referencing new table as changed for each statement execute function mark_accounts();
--> statement-breakpoint
create trigger arm_of_old_behaviour after delete on behaviours referencing old table as changed for each statement execute function mark_accounts();
--> statement-breakpoint
create trigger arm_of_sequence after update of current_version_id on sequences for each row
  when (old.current_version_id is distinct from new.current_version_id) execute function mark_course('sequences');
--> statement-breakpoint
create trigger arm_of_prediction after update of settings on tenants for each row
  when (old.settings -> 'riskPrediction' is distinct from new.settings -> 'riskPrediction') execute function mark_course('predictions');
--> statement-breakpoint
create or replace trigger course_of_enrollment after update on enrollments for each row
  when ((old.subject_id, old.contact_id, old.sequence_id, old.version_id, old.campaign_id, old.status, old.stop_reason, old.enrolled_at, old.activated_at, old.anchor_at, old.ended_at)
    is distinct from (new.subject_id, new.contact_id, new.sequence_id, new.version_id, new.campaign_id, new.status, new.stop_reason, new.enrolled_at, new.activated_at,
      new.anchor_at, new.ended_at)
    and (old.activated_at is not null or new.activated_at is not null or old.campaign_id is not null or new.campaign_id is not null))
  execute function mark_course('enrollments');
--> statement-breakpoint
create or replace trigger course_of_message after update on messages for each row
  when ((old.state, old.live, old.channel, old.skip_reason, old.settled_at, old.claimed_at, old.opened_at, old.clicked_at, old.suspected_open_at, old.variant, old.experiment_id)
    is distinct from (new.state, new.live, new.channel, new.skip_reason, new.settled_at, new.claimed_at, new.opened_at, new.clicked_at, new.suspected_open_at, new.variant,
      new.experiment_id))
  execute function mark_course('messages');
--> statement-breakpoint
create or replace trigger course_of_new_conversion after insert on conversions for each row
  when (num_nonnulls(new.enrollment_id, new.contact_id) > 0) execute function mark_course('conversions');
--> statement-breakpoint
create or replace trigger course_of_conversion after update on conversions for each row
  when ((old.enrollment_id, old.contact_id, old.currency, old.value_minor, old.placed_at, old.reversed_at is null, old.no_revenue, old.current_minor, old.current_currency,
      old.refunded_minor, old.refunded_besides_minor)
    is distinct from (new.enrollment_id, new.contact_id, new.currency, new.value_minor, new.placed_at, new.reversed_at is null, new.no_revenue, new.current_minor,
      new.current_currency, new.refunded_minor, new.refunded_besides_minor)
    and num_nonnulls(old.enrollment_id, new.enrollment_id, old.contact_id, new.contact_id) > 0)
  execute function mark_course('conversions');
--> statement-breakpoint
-- What there was before is computed by the first foldings.
insert into course_marks (tenant_id, scope_id) select tenant_id, id from sequences union all select tenant_id, id from experiments;
