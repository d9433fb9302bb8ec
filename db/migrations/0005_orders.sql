-- A purchase takes two statements like a cart (docs/adr/0010-a-delivery-takes-two-statements.md): `open_delivery_2` reads the world that it is
-- about, `write_order` writes what was decided. What is said in 0004 about locks, pictures and plans holds here too. The functions of 0004
-- that the build before calls keep their names, arguments and results.

-- Who these persons are: contacts, what each is known by, and their latest words about consent.
create function read_people(person_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if cardinality(person_ids) = 0 then return '{"contacts": [], "identities": [], "consents": []}'; end if;
  return jsonb_build_object(
    'contacts', coalesce((select jsonb_agg(to_jsonb(c) order by c.id) from contacts c where c.person_id = any(person_ids)), '[]'),
    'identities', coalesce((
      select jsonb_agg(jsonb_build_object('contact_id', c.id, 'person_id', c.person_id, 'kind', i.kind, 'value', i.value) order by c.id)
      from (select o.id, o.person_id from contacts o where o.person_id = any(person_ids) offset 0) c
        cross join lateral (select h.kind, h.value from contact_identities h where h.contact_id = c.id offset 0) i), '[]'),
    'consents', coalesce((
      select jsonb_agg(to_jsonb(said)) from (
        select c.id as contact_id, s.channel, s.state, max(s.occurred_at) as latest_at
        from (select o.id from contacts o where o.person_id = any(person_ids) offset 0) c
          cross join lateral (select n.channel, n.state, n.occurred_at from consents n where n.contact_id = c.id offset 0) s
        group by 1, 2, 3) said), '[]'));
end $$;
--> statement-breakpoint

create or replace function read_cart(person_ids uuid[], subject_ids uuid[], address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  world jsonb := read_people(person_ids);
begin
  if cardinality(subject_ids) = 0 then
    world := world || '{"subjects": [], "enrollments": []}';
  else
    world := world || jsonb_build_object(
      'subjects', (select jsonb_agg(to_jsonb(s) order by s.id) from subjects s where s.id = any(subject_ids)),
      'enrollments', coalesce((select jsonb_agg(to_jsonb(e) order by e.id) from enrollments e where e.subject_id = any(subject_ids)), '[]'));
  end if;
  return world || jsonb_build_object(
    'sequences', coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'version_id', s.current_version_id) order by s.id)
      from sequences s where s.status = 'ACTIVE' and not s.paused and s.current_version_id is not null), '[]'),
    'suppressed', coalesce((
      select jsonb_agg(distinct s.address_hash) from suppressions s
      where s.address_hash = any(address_hashes) and s.channel = 'all' and s.lifted_at is null), '[]'));
end $$;
--> statement-breakpoint

-- Everything that the rules of a purchase ask: these persons, what runs for them, the carts that were bought with the runs about them that
-- came to their end, and the calls that may be running to any of these persons.
create function read_order(person_ids uuid[], subject_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  world jsonb := read_people(person_ids) || '{"subjects": [], "completed": [], "open": [], "claims": []}';
  contact_ids uuid[]; run_ids uuid[]; running jsonb;
begin
  if cardinality(subject_ids) > 0 then
    world := world || jsonb_build_object(
      'subjects', (select jsonb_agg(jsonb_build_object('id', s.id, 'contact_id', s.contact_id) order by s.id) from subjects s where s.id = any(subject_ids)),
      'completed', coalesce((
        select jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id) order by e.id)
        from enrollments e where e.subject_id = any(subject_ids) and e.status = 'COMPLETED'), '[]'));
  end if;
  if cardinality(person_ids) = 0 then return world; end if;
  contact_ids := array(select c.id from contacts c where c.person_id = any(person_ids));
  select array_agg(e.id), jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id, 'activated_at', e.activated_at,
      'started_at', s.started_at) order by e.id) filter (where e.ended_at is null)
    into run_ids, running
  from unnest(contact_ids) as c(id)
    cross join lateral (select r.id, r.subject_id, r.activated_at, r.ended_at from enrollments r where r.contact_id = c.id offset 0) e
    left join lateral (select b.started_at from subjects b where b.id = e.subject_id and e.ended_at is null offset 0) s on true;
  return world || jsonb_build_object(
    'open', coalesce(running, '[]'),
    -- As `readLiveClaims` reads them: messages to these contacts, and messages of enrollments that are theirs now.
    'claims', coalesce((
      select jsonb_agg(distinct jsonb_build_object('claim', l.claim, 'leaseMs', l.lease_ms)) from (
        select m.claim, m.lease_ms
        from unnest(contact_ids) as c(id)
          cross join lateral (select h.claim, h.lease_ms from messages h where h.live and h.contact_id = c.id offset 0) m
        union all
        select m.claim, m.lease_ms
        from unnest(run_ids) as r(id)
          cross join lateral (select h.claim, h.lease_ms from messages h where h.enrollment_id = r.id and h.live offset 0) m) l
      where l.claim is not null), '[]'));
end $$;
--> statement-breakpoint

-- As `open_delivery`, and it reads the world of what the delivery is about: `reads` is `cart`, `order` or null.
create function open_delivery_2(delivery jsonb, connection uuid, identity_kinds text[], identity_values text[], key_kinds text[], key_values text[],
  stops boolean, reads text, address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; known jsonb; named jsonb; subject_ids uuid[];
begin
  insert into inbox (tenant_id, id, connection_id, dedupe_key, topic, state, events, applied_at)
  values (tenant, (delivery ->> 'id')::uuid, connection, delivery ->> 'dedupe_key', delivery ->> 'topic', 'applied', delivery -> 'events',
    clock_timestamp())
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

-- Write who the contact is that an event speaks of: made now, or known and told more about, seen again, with what it says about consent.
create function write_people(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid;
begin
  if w ? 'new_contact' then
    insert into contacts (tenant_id, id, person_id, lifecycle, first_name, last_name, locale, time_zone, country, region, order_count,
      lifetime_value_minor, last_seen_at, last_order_at, details_at)
    select tenant, c.id, c.id, c.lifecycle, c.first_name, c.last_name, c.locale, c.time_zone, c.country, c.region, c.order_count,
      c.lifetime_value_minor, c.last_seen_at, c.last_order_at, c.details_at
    from jsonb_to_record(w -> 'new_contact') as c(id uuid, lifecycle text, first_name text, last_name text, locale text, time_zone text,
      country text, region text, order_count int, lifetime_value_minor bigint, last_seen_at timestamptz, last_order_at timestamptz,
      details_at timestamptz);
    if w ? 'identities' then
      insert into contact_identities (tenant_id, id, contact_id, kind, value)
      select tenant, i.id, (w #>> '{new_contact,id}')::uuid, i.kind, i.value
      from jsonb_to_recordset(w -> 'identities') as i(id uuid, kind text, value text);
    end if;
  end if;
  if w ? 'contact' then
    -- One that is its person's root carries the signs of life as well: one row, written once.
    update contacts c set lifecycle = n.lifecycle, first_name = n.first_name, last_name = n.last_name, locale = n.locale,
      time_zone = n.time_zone, country = n.country, region = n.region, order_count = n.order_count,
      lifetime_value_minor = n.lifetime_value_minor, details_at = n.details_at,
      last_seen_at = greatest(c.last_seen_at, n.last_seen_at), last_order_at = greatest(c.last_order_at, n.last_order_at)
    from jsonb_to_record(w -> 'contact') as n(id uuid, lifecycle text, first_name text, last_name text, locale text, time_zone text,
      country text, region text, order_count int, lifetime_value_minor bigint, last_seen_at timestamptz, last_order_at timestamptz,
      details_at timestamptz)
    where c.tenant_id = tenant and c.id = (w #>> '{contact,id}')::uuid;
  end if;
  if w ? 'seen' then
    update contacts c set last_seen_at = (w #>> '{seen,at}')::timestamptz
    where c.tenant_id = tenant and c.id = (w #>> '{seen,person_id}')::uuid;
  end if;
  if w ? 'consents' then
    insert into consents (tenant_id, id, contact_id, channel, state, source, occurred_at)
    select tenant, s.id, s.contact_id, s.channel, s.state, s.source, s.occurred_at
    from jsonb_to_recordset(w -> 'consents') as s(id uuid, contact_id uuid, channel text, state text, source text, occurred_at timestamptz);
  end if;
end $$;
--> statement-breakpoint

-- As in 0004, with the people apart. Returns whether anything was left in the outbox.
create or replace function write_cart(w jsonb) returns boolean
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; begun uuid[]; told uuid;
begin
  perform write_people(w);
  if w ? 'new_subject' then
    insert into subjects (tenant_id, id, contact_id, currency, total_minor, items, restore_url, started_at, last_activity_at)
    select tenant, s.id, s.contact_id, s.currency, s.total_minor, s.items, s.restore_url, s.started_at, s.last_activity_at
    from jsonb_to_record(w -> 'new_subject') as s(id uuid, contact_id uuid, currency text, total_minor bigint, items jsonb, restore_url text,
      started_at timestamptz, last_activity_at timestamptz);
  end if;
  if w ? 'subject' then
    update subjects s set contact_id = n.contact_id, currency = n.currency, total_minor = n.total_minor, items = n.items,
      restore_url = n.restore_url, started_at = n.started_at, last_activity_at = n.last_activity_at
    from jsonb_to_record(w -> 'subject') as n(id uuid, contact_id uuid, currency text, total_minor bigint, items jsonb, restore_url text,
      started_at timestamptz, last_activity_at timestamptz)
    where s.tenant_id = tenant and s.id = (w #>> '{subject,id}')::uuid;
  end if;
  if w ? 'keys' then
    insert into subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
    select tenant, k.id, k.subject_id, k.connection_id, k.kind, k.value
    from jsonb_to_recordset(w -> 'keys') as k(id uuid, subject_id uuid, connection_id uuid, kind text, value text)
    on conflict do nothing;
  end if;
  if w ? 'enrollments' then
    with e as (
      insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, sequence_type, cart_value_minor, currency,
        time_scale, anchor_at)
      select tenant, n.id, n.sequence_id, n.version_id, n.contact_id, n.subject_id, n.sequence_type, n.cart_value_minor, n.currency,
        n.time_scale, n.anchor_at
      from jsonb_to_recordset(w -> 'enrollments') as n(id uuid, sequence_id uuid, version_id uuid, contact_id uuid, subject_id uuid,
        sequence_type text, cart_value_minor bigint, currency text, time_scale double precision, anchor_at timestamptz)
      on conflict do nothing
      returning id),
    story as (
      insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
      select tenant, n.event_id, e.id, 'enrolled', (w ->> 'inbox_id')::uuid, n.enrolled
      from e join jsonb_to_recordset(w -> 'enrollments') as n(id uuid, event_id uuid, enrolled jsonb) on n.id = e.id),
    word as (
      insert into outbox (tenant_id, enrollment_id, kind) select tenant, e.id, 'start' from e)
    select array_agg(e.id) into begun from e;
  end if;
  if w ? 'story' then
    -- Activity on a cart belongs to the story of its sequence; it costs no workflow history.
    told := coalesce((w #>> '{story,enrollment_id}')::uuid, begun[1]);
    if told is not null then
      insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
      values (tenant, (w #>> '{story,id}')::uuid, told, 'cart.updated', (w ->> 'inbox_id')::uuid, w #> '{story,data}');
    end if;
  end if;
  return begun is not null;
end $$;
--> statement-breakpoint

-- Write what was decided about one purchase: who bought, what is bought for good, which sequences end, and the order itself.
create function write_order(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid;
  at timestamptz := (w ->> 'at')::timestamptz;
  ending record;
  counted boolean;
begin
  perform write_people(w);
  if w ? 'buyers' then
    update contacts c set last_order_at = greatest(c.last_order_at, at)
    where c.tenant_id = tenant and c.id = any(array(select jsonb_array_elements_text(w -> 'buyers')::uuid));
  end if;
  if w ? 'new_subject' then
    insert into subjects (tenant_id, id, contact_id, state, started_at, last_activity_at, converted_at)
    values (tenant, (w #>> '{new_subject,id}')::uuid, (w #>> '{new_subject,contact_id}')::uuid, 'converted', at, at, at);
  end if;
  if w ? 'keys' then
    insert into subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
    select tenant, k.id, k.subject_id, k.connection_id, k.kind, k.value
    from jsonb_to_recordset(w -> 'keys') as k(id uuid, subject_id uuid, connection_id uuid, kind text, value text)
    on conflict do nothing;
  end if;
  if w ? 'bought' then
    update subjects s set state = 'converted', converted_at = coalesce(s.converted_at, at)
    where s.tenant_id = tenant and s.id = any(array(select jsonb_array_elements_text(w -> 'bought')::uuid));
  end if;
  for ending in select * from jsonb_to_recordset(w -> 'ends') as n(id uuid, event_id uuid, status text, reason text) loop
    update enrollments r set status = ending.status, stop_reason = ending.reason, ended_at = clock_timestamp()
    where r.tenant_id = tenant and r.id = ending.id and r.ended_at is null;
    continue when not found;
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    values (tenant, ending.event_id, ending.id, 'stopped', (w ->> 'inbox_id')::uuid, jsonb_build_object('reason', ending.reason));
    insert into outbox (tenant_id, enrollment_id, kind) values (tenant, ending.id, 'stop');
  end loop;
  -- orders/create and orders/paid speak of the same order: it is counted once, and the later event may know more.
  insert into conversions (tenant_id, id, connection_id, order_id, contact_id, subject_id, enrollment_id, currency, value_minor, placed_at)
  select tenant, c.id, c.connection_id, c.order_id, c.contact_id, c.subject_id, c.enrollment_id, c.currency, c.value_minor, at
  from jsonb_to_record(w -> 'order') as c(id uuid, connection_id uuid, order_id text, contact_id uuid, subject_id uuid, enrollment_id uuid,
    currency text, value_minor bigint)
  on conflict (tenant_id, connection_id, order_id) do update set
    enrollment_id = coalesce(conversions.enrollment_id, excluded.enrollment_id), subject_id = coalesce(conversions.subject_id, excluded.subject_id),
    contact_id = coalesce(conversions.contact_id, excluded.contact_id), value_minor = excluded.value_minor, currency = excluded.currency,
    placed_at = least(conversions.placed_at, excluded.placed_at)
  returning xmax = 0 into counted;
  if counted and w #>> '{order,enrollment_id}' is not null then
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    values (tenant, (w #>> '{order,event_id}')::uuid, (w #>> '{order,enrollment_id}')::uuid, 'recovered', (w ->> 'inbox_id')::uuid,
      jsonb_build_object('value_minor', (w #>> '{order,value_minor}')::bigint, 'currency', w #>> '{order,currency}'));
  end if;
end $$;
--> statement-breakpoint

-- A delivery is applied, and these contacts' calls are the ones that its answer waits for.
create function record_applied(delivery_id uuid, covered uuid[]) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
begin
  update inbox i set state = 'applied', covered_contact_ids = covered, applied_at = clock_timestamp() where i.id = delivery_id;
end $$;
--> statement-breakpoint
revoke execute on function read_people(uuid[]), read_order(uuid[], uuid[]),
  open_delivery_2(jsonb, uuid, text[], text[], text[], text[], boolean, text, text[]), write_people(jsonb), write_order(jsonb),
  record_applied(uuid, uuid[]) from public;
--> statement-breakpoint
grant execute on function read_people(uuid[]), read_order(uuid[], uuid[]),
  open_delivery_2(jsonb, uuid, text[], text[], text[], text[], boolean, text, text[]), write_people(jsonb), write_order(jsonb),
  record_applied(uuid, uuid[]) to rekindle_app;
