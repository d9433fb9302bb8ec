-- The persons and subjects that a delivery's names find now. Takes no locks.
create function find_delivery(delivery jsonb) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select find_named_2(x.identity_kinds, x.identity_values, x.key_connections, x.key_kinds, x.key_values, x.stops, '{}', '{}')
    from jsonb_to_record(delivery) as x(identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[],
      key_values text[], stops boolean));
end $$;
