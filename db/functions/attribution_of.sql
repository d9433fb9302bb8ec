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
