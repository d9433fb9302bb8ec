-- Store deliveries, take the locks of all that they name, and read the world of each: one statement for one delivery or for a set.
--
-- `deliveries`: a list of objects with id, connection, dedupe_key, topic, events, notes; identity_kinds, identity_values, key_connections,
-- key_kinds, key_values, stops as `find_named_2` takes them; parts, order_number, address_hashes, message_account, provider_message_id as
-- `read_world` takes them. Without `parts` no world is read. With `waits` it
-- is in the inbox already, under its id, and is opened if it is still `pending`; the caller's write makes it `applied`.
-- Returns a list in the same order: `known` is the row of an earlier delivery, locked; else `named` and `world`.
-- Null: persons moved while their locks were awaited, and the transaction is to start over.
create or replace function open_deliveries(deliveries jsonb) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; answers jsonb[] := '{}'; fresh jsonb[] := '{}'; places int[] := '{}';
  delivery jsonb; known jsonb; named jsonb[]; person_ids uuid[]; subject_ids uuid[]; place int := 0;
begin
  for delivery in select value from jsonb_array_elements(deliveries) loop
    place := place + 1;
    if delivery -> 'waits' = 'true' then
      perform from inbox i where i.tenant_id = tenant and i.id = (delivery ->> 'id')::uuid and i.state = 'pending' for no key update;
    else
      insert into inbox (tenant_id, id, connection_id, dedupe_key, topic, state, events, notes, applied_at)
      values (tenant, (delivery ->> 'id')::uuid, (delivery ->> 'connection')::uuid, delivery ->> 'dedupe_key', delivery ->> 'topic', 'applied',
        delivery -> 'events', coalesce(delivery -> 'notes', '[]'), clock_timestamp())
      on conflict (tenant_id, connection_id, dedupe_key) do nothing;
    end if;
    if found then
      fresh := fresh || delivery;
      places := places || place;
    else
      select to_jsonb(i) into known from inbox i
      where i.connection_id = (delivery ->> 'connection')::uuid and i.dedupe_key = delivery ->> 'dedupe_key' for no key update;
      answers[place] := jsonb_build_object('known', known);
    end if;
  end loop;
  if cardinality(fresh) = 0 then return to_jsonb(answers); end if;
  named := lock_deliveries(fresh);
  if named is null then return null; end if;
  for i in 1 .. cardinality(fresh) loop
    answers[places[i]] := jsonb_build_object('named', named[i]);
    if fresh[i] ? 'parts' then
      person_ids := array(select jsonb_array_elements_text((named[i] -> 'reached') || (named[i] -> 'near'))::uuid);
      subject_ids := array(select jsonb_array_elements_text(named[i] -> 'subjects')::uuid);
      answers[places[i]] := answers[places[i]] || jsonb_build_object('world', (
        select read_world(person_ids, subject_ids, x.parts, x.connection, x.order_number, x.address_hashes, x.message_account,
          x.provider_message_id)
        from jsonb_to_record(fresh[i]) as x(parts text[], connection uuid, order_number text, address_hashes text[], message_account text,
          provider_message_id text)));
    end if;
  end loop;
  return to_jsonb(answers);
end $$;
