-- The currency of an order may become known, or change, after its refunds: they are summed again, whichever build writes it.
create function sum_refunds_again() returns trigger language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  select r.refunded, r.besides into new.refunded_minor, new.refunded_besides_minor
  from public.refunds_of_order(new.tenant_id, new.connection_id, new.order_id, coalesce(new.currency, new.current_currency), new.current_at) r;
  return new;
end $$;
