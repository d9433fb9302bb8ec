-- Store changes of an order (refunds, current total, cancellation), in whatever order and however often they arrive. The order itself may not be
-- stored yet. Locks the order's row and nothing else.
create function update_order(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid;
  inbox_id uuid := (w ->> 'inbox_id')::uuid;
  event_at timestamptz := (w ->> 'at')::timestamptz;
  -- With a clock of whole seconds, nothing stored of the same second is newer than what arrives now.
  newer_until timestamptz := case when w -> 'to_the_second' = 'true' then date_trunc('second', event_at) + interval '999 milliseconds'
    else event_at end;
  told_currency text := w ->> 'currency';
  total bigint := (w ->> 'current_minor')::bigint;
  stood_at timestamptz;
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
  stood_at := greatest(known.standing_at, known.reversed_at);
  if w ? 'cancelled' and (stood_at is null or stood_at <= newer_until) then
    now_is.standing_at := greatest(stood_at, event_at);
    now_is.reversed_at := case when w -> 'cancelled' = 'true' then least(known.reversed_at, event_at) end;
  end if;
  effective := coalesce(now_is.currency, now_is.current_currency);
  select r.refunded, r.besides into now_is.refunded_minor, now_is.refunded_besides_minor
  from refunds_of_order(tenant, known.connection_id, known.order_id, effective, now_is.current_at) r;
  if now_is is distinct from known then
    update conversions c set current_minor = now_is.current_minor, current_currency = now_is.current_currency, current_at = now_is.current_at,
      reversed_at = now_is.reversed_at, standing_at = now_is.standing_at, refunded_minor = now_is.refunded_minor, refunded_besides_minor = now_is.refunded_besides_minor
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
    -- A total that the refunds alone explain is not an edit.
    where now_is.current_minor is distinct from known.current_minor
      and coalesce(now_is.current_minor + now_is.refunded_minor - now_is.refunded_besides_minor - now_is.value_minor, 1)
        is distinct from coalesce(known.current_minor + known.refunded_minor - known.refunded_besides_minor - known.value_minor, 0)
    union all
    select (w ->> 'cancelled_id')::uuid, 'order_cancelled', '{}'::jsonb where known.reversed_at is null and now_is.reversed_at is not null
    union all
    select (w ->> 'restored_id')::uuid, 'order_restored', '{}'::jsonb where known.reversed_at is not null and now_is.reversed_at is null) s;
end $$;
