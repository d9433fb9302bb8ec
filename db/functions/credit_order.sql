-- Store an order and credit it. Several events may report the same order (orders/create, orders/paid), which is counted once: the latest readable
-- currency and amount hold, by the provider's time; of one instant, the later arrival.
-- An order is no revenue for good when any event calls it a test; cancelled or declined, as long as no event has shown it alive.
-- Refunds and a cancellation may be stored before the order itself.
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
    -- An older build stored a cancellation of an unknown order as USD 0: that is no amount.
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
  -- An enrollment that an order has ended becomes `purchased` if any of its orders is real.
  if known.id is not null or not exists (select from jsonb_to_recordset(w -> 'ends') as n(id uuid) where n.id = now_is.enrollment_id) then
    real := exists (select from conversions c where c.tenant_id = tenant and c.enrollment_id = now_is.enrollment_id and c.no_revenue is null);
    update enrollments e set stop_reason = case when real then 'purchased' else 'order_void' end,
      status = case when real then 'CONVERTED' else 'EXITED' end
    where e.tenant_id = tenant and e.id = now_is.enrollment_id and e.stop_reason = case when real then 'order_void' else 'purchased' end;
  end if;
end $$;
