-- Take the locks of several deliveries at once, in the order that `lock_named_2` keeps for one: names sorted, then persons by id; then
-- resolve each delivery's names again. Returns what each found. Null: a second result differed from the first.
create function lock_deliveries(deliveries jsonb[]) returns jsonb[]
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant text := current_setting('app.tenant'); before jsonb[] := '{}'; found_now jsonb; shared jsonb := '[]'; lock_id bigint; locked uuid[];
begin
  if cardinality(deliveries) = 1 then
    select lock_named_2(x.identity_kinds, x.identity_values, x.key_connections, x.key_kinds, x.key_values, x.stops, '{}', '{}') into found_now
    from jsonb_to_record(deliveries[1]) as x(identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[],
      key_values text[], stops boolean);
    return case when found_now is not null then array[found_now] end;
  end if;
  for i in 1 .. cardinality(deliveries) loop
    if deliveries[i] -> 'stops' = 'true' then
      before[i] := find_delivery(deliveries[i]);
      if jsonb_array_length(before[i] -> 'shared') <= 500 then shared := shared || (before[i] -> 'shared'); end if;
    end if;
  end loop;
  for lock_id in
    select distinct name_lock(n) from (
      select concat(tenant, ' person ', i.kind, ' ', i.value)
      from unnest(deliveries) as d(delivery) cross join lateral jsonb_to_record(d.delivery) as x(identity_kinds text[], identity_values text[])
        cross join lateral unnest(x.identity_kinds, x.identity_values) as i(kind, value)
      union all
      select concat(tenant, ' person ', s.kind, ' ', s.value) from jsonb_to_recordset(shared) as s(kind text, value text)
      union all
      select concat(tenant, ' subject ', k.connection, ' ', k.kind, ' ', k.value)
      from unnest(deliveries) as d(delivery)
        cross join lateral jsonb_to_record(d.delivery) as x(key_connections uuid[], key_kinds text[], key_values text[])
        cross join lateral unnest(x.key_connections, x.key_kinds, x.key_values) as k(connection, kind, value)
    ) as names(n) order by 1
  loop
    perform pg_advisory_xact_lock(lock_id);
  end loop;
  for i in 1 .. cardinality(deliveries) loop
    if before[i] is null then before[i] := find_delivery(deliveries[i]); end if;
  end loop;
  locked := array(
    select distinct p::uuid from unnest(before) as b(found) cross join lateral jsonb_array_elements_text(b.found -> 'locked') as p order by 1);
  if cardinality(locked) = 0 then return before; end if;
  perform from contacts c where c.id = any(locked) order by c.id for no key update;
  for i in 1 .. cardinality(deliveries) loop
    if find_delivery(deliveries[i]) <> before[i] then return null; end if;
  end loop;
  return before;
end $$;
