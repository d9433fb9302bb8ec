-- Take the locks of an event: names sorted, then persons by id; resolve again under them. Null: the second result differed from the first,
-- the transaction is to start over with the larger set.
create function lock_named_2(identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[], key_values text[],
  stops boolean, contact_ids uuid[], bystander_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant text := current_setting('app.tenant'); shared jsonb := '[]'; before jsonb; found_now jsonb; lock_id bigint;
begin
  if stops then
    -- The identities over which a stop reaches others must be known before locking, because all locks are taken in one sorted order.
    before := find_named_2(identity_kinds, identity_values, key_connections, key_kinds, key_values, stops, contact_ids, bystander_ids);
    -- Beyond this number only what the event itself names is locked by name; all the persons' rows still are.
    if jsonb_array_length(before -> 'shared') <= 500 then shared := before -> 'shared'; end if;
  end if;
  for lock_id in
    select distinct name_lock(n) from (
      select concat(tenant, ' person ', i.kind, ' ', i.value) from unnest(identity_kinds, identity_values) as i(kind, value)
      union all
      select concat(tenant, ' person ', s.kind, ' ', s.value) from jsonb_to_recordset(shared) as s(kind text, value text)
      union all
      select concat(tenant, ' subject ', k.connection, ' ', k.kind, ' ', k.value)
      from unnest(key_connections, key_kinds, key_values) as k(connection, kind, value)
    ) as names(n) order by 1
  loop
    perform pg_advisory_xact_lock(lock_id);
  end loop;
  if before is null then
    before := find_named_2(identity_kinds, identity_values, key_connections, key_kinds, key_values, stops, contact_ids, bystander_ids);
    -- Nobody to lock, and nobody can appear under these names while their locks are held.
    if before -> 'locked' = '[]' then return before; end if;
  end if;
  perform from contacts c where c.id = any(array(select jsonb_array_elements_text(before -> 'locked')::uuid)) order by c.id for no key update;
  found_now := find_named_2(identity_kinds, identity_values, key_connections, key_kinds, key_values, stops, contact_ids, bystander_ids);
  return case when found_now = before then found_now end;
end $$;
