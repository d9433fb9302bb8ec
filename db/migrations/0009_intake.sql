-- Who is whom, as docs/rules.md#rule-10 has it: an e-mail address or a verified id names a person; a telephone number alone names its holders,
-- while they are a few. New names for everything whose meaning changes (docs/migrations.md); what 0004 says about locks, snapshots and plans
-- holds here too.

-- What a bought subject was bought with, so that a late echo of it can be told from a new cart under the same key.
ALTER TABLE "subjects" ADD COLUMN "bought" jsonb;
--> statement-breakpoint

-- How many of an identity's rows are read before it counts as held by too many, and how many persons may share one.
create function most_holders() returns int language sql immutable return 5;
--> statement-breakpoint

-- Whom and what these names find now. Every list is sorted.
-- `named`: persons of the strong identities (every kind but `phone`), of the given contacts, owners of the matched subjects and, for a stop,
--   of enrollments about them; where the number alone is given, its holders.
-- `reached`: for a stop, also whoever shares a strong identity with one of the named.
-- `near`: persons who share no more than the event's number. They are locked: one of them may turn out to be the person named.
-- `locked`: all of these, and the bystanders. `shared`: the identities over which a stop reaches others.
-- `crowded`: identities of the event that more than `most_holders()` are said to have: they name nobody.
create function find_named_2(identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[], key_values text[],
  stops boolean, contact_ids uuid[], bystander_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  subject_ids uuid[] := '{}'; named uuid[] := '{}'; reached uuid[]; near uuid[] := '{}'; locked uuid[]; shared jsonb := '[]';
  crowded jsonb := '[]'; is_strong boolean := false; holders uuid[]; holder_count int; identity record;
begin
  if cardinality(key_kinds) > 0 then
    select coalesce(array_agg(distinct s.id), '{}'), coalesce(array_agg(distinct c.person_id) filter (where c.person_id is not null), '{}')
      into subject_ids, named
    from unnest(key_connections, key_kinds, key_values) as k(connection, kind, value)
      cross join lateral (
        select sk.subject_id as id from subject_keys sk
        where sk.connection_id = k.connection and sk.kind = k.kind and sk.value = k.value offset 0) s
      cross join lateral (select o.contact_id from subjects o where o.id = s.id offset 0) owner
      left join lateral (select p.person_id from contacts p where p.id = owner.contact_id offset 0) c on true;
  end if;
  for identity in select i.kind, i.value from unnest(identity_kinds, identity_values) as i(kind, value) order by i.kind, i.value loop
    holders := array(
      select distinct c.person_id
      from (select h.contact_id from contact_identities h where h.kind = identity.kind and h.value = identity.value limit 100) held
        cross join lateral (select p.person_id from contacts p where p.id = held.contact_id offset 0) c);
    holder_count := cardinality(holders);
    if identity.kind like 'external:%' and holder_count > 0 then
      -- A verified id makes one person of all its holders, so its holders are counted by their addresses.
      holder_count := greatest(holder_count, (
        select count(distinct a.value) from unnest(holders) as p(id)
          cross join lateral (select c.id from contacts c where c.person_id = p.id offset 0) c
          cross join lateral (select i.value from contact_identities i where i.contact_id = c.id and i.kind = 'email' offset 0) a));
    end if;
    if holder_count > most_holders() then
      crowded := crowded || jsonb_build_object('kind', identity.kind, 'value', identity.value, 'holders', holder_count);
    elsif identity.kind = 'phone' then
      near := holders;
    else
      is_strong := true;
      named := named || holders;
    end if;
  end loop;
  if not is_strong then named := named || near; end if;
  if cardinality(contact_ids) > 0 then
    named := named || array(select c.person_id from contacts c where c.id = any(contact_ids));
  end if;
  if stops and cardinality(subject_ids) > 0 then
    -- A cart may have changed hands since its sequence began.
    named := named || array(
      select c.person_id from unnest(subject_ids) as s(id)
        cross join lateral (select e.contact_id from enrollments e where e.subject_id = s.id offset 0) run
        cross join lateral (select p.person_id from contacts p where p.id = run.contact_id offset 0) c);
  end if;
  if cardinality(named) > 1 then named := array(select distinct p from unnest(named) p order by p); end if;
  reached := named;
  if stops and cardinality(named) > 0 then
    with theirs as (
      select distinct i.kind, i.value
      from unnest(named) as p(id)
        cross join lateral (select c.id from contacts c where c.person_id = p.id offset 0) c
        cross join lateral (select i.kind, i.value from contact_identities i where i.contact_id = c.id and i.kind <> 'phone' offset 0) i),
    sharing as (
      select t.kind, t.value, holder.person_id
      from theirs t
        cross join lateral (select i.contact_id from contact_identities i where i.kind = t.kind and i.value = t.value limit 100) same
        cross join lateral (select h.person_id from contacts h where h.id = same.contact_id offset 0) holder),
    few as (
      select s.kind, s.value, array_agg(distinct s.person_id) as persons from sharing s
      group by 1, 2 having count(distinct s.person_id) <= most_holders())
    select array(select distinct p from (select unnest(named) union select unnest(f.persons) from few f) as r(p) order by p),
      coalesce((select jsonb_agg(jsonb_build_object('kind', f.kind, 'value', f.value) order by f.kind collate "C", f.value collate "C") from few f), '[]')
      into reached, shared;
  end if;
  near := array(select distinct p from unnest(near) p where p <> all(reached) order by p);
  locked := array(
    select distinct p from (
      select unnest(reached) union select unnest(near) union select c.person_id from contacts c where c.id = any(bystander_ids)) as l(p) order by p);
  return jsonb_build_object('named', named, 'reached', reached, 'near', near, 'locked', locked, 'shared', shared, 'crowded', crowded,
    'subjects', array(select distinct s from unnest(subject_ids) s order by s));
end $$;
--> statement-breakpoint

-- Take the locks of an event: names sorted, then persons by id; resolve again under them. Null: the second result differed from the first,
-- the transaction is to start over with the larger set.
create function lock_named_2(identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[], key_values text[],
  stops boolean, contact_ids uuid[], bystander_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant text := current_setting('app.tenant'); shared jsonb := '[]'; before jsonb; found_now jsonb; lock_id bigint;
begin
  if stops then
    -- Over which further identities a stop reaches others has to be known before the locks, which are taken in one sorted go.
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
    -- Nobody to lock, and nobody can appear under these names while we hold them.
    if before -> 'locked' = '[]' then return before; end if;
  end if;
  perform from contacts c where c.id = any(array(select jsonb_array_elements_text(before -> 'locked')::uuid)) order by c.id for no key update;
  found_now := find_named_2(identity_kinds, identity_values, key_connections, key_kinds, key_values, stops, contact_ids, bystander_ids);
  return case when found_now = before then found_now end;
end $$;
--> statement-breakpoint
-- Rows of builds before 0008 have no basis: what came with a cart or an order was a box, all else the person.
create function consent_basis(basis text, source text) returns text language sql immutable
return coalesce(basis, case when source like 'connection:%' then 'box' else 'person' end);
--> statement-breakpoint
-- Who these persons are: contacts, what each is known by, and their latest statement of each kind about consent.
create function read_people_2(person_ids uuid[]) returns jsonb
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
        select c.id as contact_id, s.channel, s.state, s.basis, max(s.occurred_at) as latest_at
        from (select o.id from contacts o where o.person_id = any(person_ids) offset 0) c
          cross join lateral (select n.channel, n.state, consent_basis(n.basis, n.source) as basis, n.occurred_at from consents n where n.contact_id = c.id offset 0) s
        group by 1, 2, 3, 4) said), '[]'));
end $$;
--> statement-breakpoint
-- As `read_cart`, with the basis of each consent, what else runs for these persons, and when a subject's predecessor was bought.
create function read_cart_2(person_ids uuid[], subject_ids uuid[], address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  world jsonb := read_people_2(person_ids);
begin
  if cardinality(subject_ids) = 0 then
    world := world || '{"subjects": [], "enrollments": []}';
  else
    world := world || jsonb_build_object(
      'subjects', (
        select jsonb_agg(to_jsonb(s) || jsonb_build_object('previous_bought_at', p.converted_at) order by s.id)
        from (select o.* from subjects o where o.id = any(subject_ids) offset 0) s
          left join lateral (select b.converted_at from subjects b where b.id = s.previous_subject_id offset 0) p on true),
      'enrollments', coalesce((select jsonb_agg(to_jsonb(e) order by e.id) from enrollments e where e.subject_id = any(subject_ids)), '[]'));
  end if;
  return world || jsonb_build_object(
    -- What else runs for these persons: one person is in one conversation per sequence.
    'rivals', coalesce((
      select jsonb_agg(jsonb_build_object('id', e.id, 'person_id', c.person_id, 'subject_id', e.subject_id, 'sequence_id', e.sequence_id,
        'activated_at', e.activated_at, 'last_activity_at', s.last_activity_at) order by e.id)
      from (select o.id, o.person_id from contacts o where o.person_id = any(person_ids) offset 0) c
        cross join lateral (
          select r.id, r.subject_id, r.sequence_id, r.activated_at from enrollments r where r.contact_id = c.id and r.ended_at is null offset 0) e
        cross join lateral (select b.last_activity_at from subjects b where b.id = e.subject_id offset 0) s
      where e.subject_id <> all(subject_ids)), '[]'),
    'sequences', coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'version_id', s.current_version_id) order by s.id)
      from sequences s where s.status = 'ACTIVE' and not s.paused and s.current_version_id is not null), '[]'),
    'suppressed', coalesce((
      select jsonb_agg(distinct s.address_hash) from suppressions s
      where s.address_hash = any(address_hashes) and s.channel = 'all' and s.lifted_at is null), '[]'));
end $$;
--> statement-breakpoint
-- Everything that the rules of a purchase ask: these persons and those who share only the number, what runs for them, the carts that were bought with the runs about them that
-- came to their end, and the calls that may be running to any of these persons.
create function read_order_2(person_ids uuid[], near_ids uuid[], subject_ids uuid[], connection uuid, order_number text) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  world jsonb := read_people_2(person_ids || near_ids) || '{"subjects": [], "completed": [], "open": [], "claims": [], "order": null}';
  contact_ids uuid[]; run_ids uuid[]; running jsonb; known_subject uuid;
begin
  if order_number is not null then
    -- A repeat of a known order is about the cart that it was about before, whoever has its keys by now.
    select c.subject_id into known_subject from conversions c where c.connection_id = connection and c.order_id = order_number;
    if found then world := world || jsonb_build_object('order', jsonb_build_object('subject_id', known_subject)); end if;
    if known_subject is not null then subject_ids := array(select distinct s from unnest(subject_ids || known_subject) s); end if;
  end if;
  subject_ids := array(
    select distinct s from (
      select unnest(subject_ids) union select b.previous_subject_id from subjects b where b.id = any(subject_ids)) as all_of(s) where s is not null);
  if cardinality(subject_ids) > 0 then
    world := world || jsonb_build_object(
      'subjects', (select jsonb_agg(jsonb_build_object('id', s.id, 'contact_id', s.contact_id,
        'started_at', s.started_at, 'previous_subject_id', s.previous_subject_id, 'items', s.items) order by s.id) from subjects s where s.id = any(subject_ids)),
      'completed', coalesce((
        select jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id) order by e.id)
        from enrollments e where e.subject_id = any(subject_ids) and (e.status = 'COMPLETED'
          -- Of a cart whose order was no revenue, the real one may still come.
          or (e.stop_reason in ('superseded', 'order_void') and e.activated_at is not null))), '[]'));
  end if;
  if cardinality(person_ids) + cardinality(near_ids) = 0 then return world; end if;
  contact_ids := array(select c.id from contacts c where c.person_id = any(person_ids || near_ids));
  select array_agg(e.id), jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id, 'activated_at', e.activated_at,
      'contact_id', c.id, 'started_at', s.started_at, 'items', s.items) order by e.id) filter (where e.ended_at is null)
    into run_ids, running
  from unnest(contact_ids) as c(id)
    cross join lateral (select r.id, r.subject_id, r.activated_at, r.ended_at from enrollments r where r.contact_id = c.id offset 0) e
    left join lateral (select b.started_at, b.items from subjects b where b.id = e.subject_id and e.ended_at is null offset 0) s on true;
  return world || jsonb_build_object(
    'open', coalesce(running, '[]'),
    -- As `readLiveClaims` reads them: messages to these contacts, and messages of enrollments that are theirs now.
    'claims', coalesce((
      select jsonb_agg(distinct jsonb_build_object('claim', l.claim, 'leaseMs', l.lease_ms, 'contact_id', l.contact_id)) from (
        select m.claim, m.lease_ms, c.id as contact_id
        from unnest(contact_ids) as c(id)
          cross join lateral (select h.claim, h.lease_ms from messages h where h.live and h.contact_id = c.id offset 0) m
        union all
        select m.claim, m.lease_ms, m.owner
        from unnest(run_ids) as r(id)
          cross join lateral (
            select h.claim, h.lease_ms, o.contact_id as owner from messages h join enrollments o on o.id = h.enrollment_id
            where h.enrollment_id = r.id and h.live offset 0) m) l
      where l.claim is not null), '[]'));
end $$;
--> statement-breakpoint
-- Store a delivery with the notes about its fields, take its locks, and read the world of what it is about: `reads` is `cart`, `order` or
-- null. A repeat gives the row that is `known` instead, locked.
create function open_delivery_3(delivery jsonb, connection uuid, identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[],
  key_values text[], stops boolean, reads text, address_hashes text[]) returns jsonb
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
  named := lock_named_2(identity_kinds, identity_values, key_connections, key_kinds, key_values, stops, '{}', '{}');
  if named is null or reads is null then return jsonb_build_object('named', named); end if;
  subject_ids := array(select jsonb_array_elements_text(named -> 'subjects')::uuid);
  return jsonb_build_object('named', named, 'world', jsonb_build_object('kind', reads) || case reads
    when 'cart' then read_cart_2(
      array(select jsonb_array_elements_text(named -> 'named' || (named -> 'near'))::uuid), subject_ids, address_hashes)
    when 'order' then read_order_2(
      array(select jsonb_array_elements_text(named -> 'reached')::uuid), array(select jsonb_array_elements_text(named -> 'near')::uuid),
      subject_ids, connection, delivery ->> 'order_id')
  end);
end $$;
--> statement-breakpoint
-- Write who the contact is that an event speaks of: made now, or known and told more about, seen again, with what it says about consent.
create function write_people_2(w jsonb) returns void
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
    insert into consents (tenant_id, id, contact_id, channel, state, source, basis, occurred_at)
    select tenant, s.id, s.contact_id, s.channel, s.state, s.source, s.basis, s.occurred_at
    from jsonb_to_recordset(w -> 'consents') as s(id uuid, contact_id uuid, channel text, state text, source text, basis text,
      occurred_at timestamptz);
  end if;
end $$;
--> statement-breakpoint
-- End enrollments that still run, add the end to their story, and queue the stop for Temporal. `ends`: id, event_id, status, reason, data.
create function write_ends(ends jsonb, delivery uuid) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; ending record;
begin
  for ending in select * from jsonb_to_recordset(ends) as n(id uuid, event_id uuid, status text, reason text, data jsonb) loop
    update enrollments r set status = ending.status, stop_reason = ending.reason, ended_at = clock_timestamp()
    where r.tenant_id = tenant and r.id = ending.id and r.ended_at is null;
    continue when not found;
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    values (tenant, ending.event_id, ending.id, 'stopped', delivery, jsonb_build_object('reason', ending.reason) || coalesce(ending.data, '{}'));
    insert into outbox (tenant_id, enrollment_id, kind) values (tenant, ending.id, 'stop');
  end loop;
end $$;
--> statement-breakpoint
-- As `write_cart`, with the cart's own address, and the conversations that it takes over. Keys that are named by `moved_keys` leave a subject
-- that was bought: the shop uses them again.
create function write_cart_2(w jsonb) returns boolean
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; begun uuid[]; told uuid;
begin
  perform write_people_2(w);
  if w ? 'new_subject' then
    insert into subjects (tenant_id, id, contact_id, currency, total_minor, items, restore_url, email, email_at, phone, phone_at, origin,
      previous_subject_id, started_at, last_activity_at)
    select tenant, s.id, s.contact_id, s.currency, s.total_minor, s.items, s.restore_url, s.email, s.email_at, s.phone, s.phone_at, s.origin,
      s.previous_subject_id, s.started_at, s.last_activity_at
    from jsonb_to_record(w -> 'new_subject') as s(id uuid, contact_id uuid, currency text, total_minor bigint, items jsonb, restore_url text,
      email text, email_at timestamptz, phone text, phone_at timestamptz, origin text, previous_subject_id uuid, started_at timestamptz,
      last_activity_at timestamptz);
  end if;
  if w ? 'subject' then
    update subjects s set contact_id = n.contact_id, currency = n.currency, total_minor = n.total_minor, items = n.items,
      restore_url = n.restore_url, email = n.email, email_at = n.email_at, phone = n.phone, phone_at = n.phone_at, origin = n.origin,
      started_at = n.started_at, last_activity_at = n.last_activity_at
    from jsonb_to_record(w -> 'subject') as n(id uuid, contact_id uuid, currency text, total_minor bigint, items jsonb, restore_url text,
      email text, email_at timestamptz, phone text, phone_at timestamptz, origin text, started_at timestamptz, last_activity_at timestamptz)
    where s.tenant_id = tenant and s.id = (w #>> '{subject,id}')::uuid;
  end if;
  if w ? 'moved_keys' then
    update subject_keys k set subject_id = m.subject_id
    from jsonb_to_recordset(w -> 'moved_keys') as m(subject_id uuid, connection_id uuid, kind text, value text)
    where k.tenant_id = tenant and k.connection_id = m.connection_id and k.kind = m.kind and k.value = m.value;
  end if;
  if w ? 'ends' then perform write_ends(w -> 'ends', (w ->> 'inbox_id')::uuid); end if;
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
create function write_order_2(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid;
  at timestamptz := (w ->> 'at')::timestamptz;
begin
  perform write_people_2(w);
  if w ? 'buyers' then
    update contacts c set last_order_at = greatest(c.last_order_at, at)
    where c.tenant_id = tenant and c.id = any(array(select jsonb_array_elements_text(w -> 'buyers')::uuid));
  end if;
  if w ? 'new_subject' then
    insert into subjects (tenant_id, id, contact_id, state, currency, total_minor, started_at, last_activity_at, converted_at, bought)
    values (tenant, (w #>> '{new_subject,id}')::uuid, (w #>> '{new_subject,contact_id}')::uuid, 'converted', null, null, at, at, at, w -> 'products');
  end if;
  if w ? 'keys' then
    insert into subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
    select tenant, k.id, k.subject_id, k.connection_id, k.kind, k.value
    from jsonb_to_recordset(w -> 'keys') as k(id uuid, subject_id uuid, connection_id uuid, kind text, value text)
    on conflict do nothing;
  end if;
  if w ? 'bought' then
    update subjects s set state = 'converted', converted_at = coalesce(s.converted_at, at), bought = coalesce(s.bought, w -> 'products')
    where s.tenant_id = tenant and s.id = any(array(select jsonb_array_elements_text(w -> 'bought')::uuid));
  end if;
  if w ? 'ends' then perform write_ends(w -> 'ends', (w ->> 'inbox_id')::uuid); end if;
  perform credit_order(w);
end $$;
--> statement-breakpoint
-- Everything that the gates of a step ask, under the locks of `lock_step`: the tenant, what was abandoned, and all that is known of the
-- person; identities in the order in which they are written to: the contact's own first, then the newest. Null: no such enrollment.
create function read_step_2(wanted_enrollment uuid) returns json
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  own uuid; subject uuid; contact_ids uuid[];
begin
  select e.contact_id, e.subject_id into own, subject from enrollments e where e.id = wanted_enrollment;
  if not found then return null; end if;
  contact_ids := array(
    select c.id from (select o.person_id from contacts o where o.id = own offset 0) p
      cross join lateral (select h.id from contacts h where h.person_id = p.person_id offset 0) c
    order by c.id);
  return json_build_object(
    'tenant', (select to_json(t) from tenants t where t.id = current_setting('app.tenant')::uuid),
    'subject', (select to_json(s) from subjects s where s.id = subject),
    'contacts', (select json_agg(to_json(c) order by c.id) from contacts c where c.id = any(contact_ids)),
    'identities', coalesce((
      select json_agg(to_json(i) order by (i.contact_id = own) desc, i.created_at desc, i.id desc)
      from contact_identities i where i.contact_id = any(contact_ids)), '[]'),
    -- The latest of each statement on a channel: a shop may repeat one with every cart.
    'consents', coalesce((
      select json_agg(json_build_object('channel', said.channel, 'state', said.state, 'basis', said.basis, 'at', said.latest_at))
      from (
        select n.channel, n.state, consent_basis(n.basis, n.source) as basis, max(n.occurred_at) as latest_at
        from consents n where n.contact_id = any(contact_ids) group by 1, 2, 3) said), '[]'),
    -- What went out to the person in other enrollments, the latest of each channel: gaps count per person.
    'sends', coalesce((
      select json_agg(json_build_object('channel', latest.channel, 'at', latest.at))
      from (
        select distinct on (m.channel) m.channel, coalesce(m.settled_at, m.claimed_at, m.created_at) as at
        from unnest(contact_ids) as c(id)
          cross join lateral (
            select h.channel, h.settled_at, h.claimed_at, h.created_at from messages h
            where h.contact_id = c.id and h.enrollment_id <> wanted_enrollment and h.state in ('sent', 'unknown', 'claimed')
            order by h.settled_at desc limit 20) m
        order by m.channel, 2 desc) latest), '[]'));
end $$;
--> statement-breakpoint
revoke execute on function find_named_2(text[], text[], uuid[], text[], text[], boolean, uuid[], uuid[]),
  lock_named_2(text[], text[], uuid[], text[], text[], boolean, uuid[], uuid[]),
  most_holders(),
  consent_basis(text, text),
  read_people_2(uuid[]),
  read_cart_2(uuid[], uuid[], text[]),
  read_order_2(uuid[], uuid[], uuid[], uuid, text),
  open_delivery_3(jsonb, uuid, text[], text[], uuid[], text[], text[], boolean, text, text[]),
  write_people_2(jsonb),
  write_ends(jsonb, uuid),
  write_cart_2(jsonb),
  write_order_2(jsonb),
  read_step_2(uuid) from public;
--> statement-breakpoint
grant execute on function find_named_2(text[], text[], uuid[], text[], text[], boolean, uuid[], uuid[]),
  lock_named_2(text[], text[], uuid[], text[], text[], boolean, uuid[], uuid[]),
  most_holders(),
  consent_basis(text, text),
  read_people_2(uuid[]),
  read_cart_2(uuid[], uuid[], text[]),
  read_order_2(uuid[], uuid[], uuid[], uuid, text),
  open_delivery_3(jsonb, uuid, text[], text[], uuid[], text[], text[], boolean, text, text[]),
  write_people_2(jsonb),
  write_ends(jsonb, uuid),
  write_cart_2(jsonb),
  write_order_2(jsonb),
  read_step_2(uuid) to rekindle_app;
