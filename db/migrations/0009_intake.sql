-- As `open_delivery_2`, and the delivery's notes about its fields are stored with it.
create function open_delivery_3(delivery jsonb, connection uuid, identity_kinds text[], identity_values text[], key_kinds text[], key_values text[],
  stops boolean, reads text, address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; known jsonb; named jsonb; subject_ids uuid[];
begin
  insert into inbox (tenant_id, id, connection_id, dedupe_key, topic, state, events, notes, applied_at)
  values (tenant, (delivery ->> 'id')::uuid, connection, delivery ->> 'dedupe_key', delivery ->> 'topic', 'applied', delivery -> 'events',
    coalesce(delivery -> 'notes', '[]'), clock_timestamp())
  on conflict (tenant_id, connection_id, dedupe_key) do nothing;
  if not found then
    select to_jsonb(i) into known from inbox i where i.connection_id = connection and i.dedupe_key = delivery ->> 'dedupe_key' for no key update;
    return jsonb_build_object('known', known);
  end if;
  named := lock_named(connection, identity_kinds, identity_values, key_kinds, key_values, stops, '{}', '{}');
  if named is null or reads is null then return jsonb_build_object('named', named); end if;
  subject_ids := array(select jsonb_array_elements_text(named -> 'subjects')::uuid);
  return jsonb_build_object('named', named, 'world', jsonb_build_object('kind', reads) || case reads
    when 'cart' then read_cart(array(select jsonb_array_elements_text(named -> 'named')::uuid), subject_ids, address_hashes)
    when 'order' then read_order(array(select jsonb_array_elements_text(named -> 'reached')::uuid), subject_ids)
  end);
end $$;
--> statement-breakpoint
revoke execute on function open_delivery_3(jsonb, uuid, text[], text[], text[], text[], boolean, text, text[]) from public;
--> statement-breakpoint
grant execute on function open_delivery_3(jsonb, uuid, text[], text[], text[], text[], boolean, text, text[]) to rekindle_app;
