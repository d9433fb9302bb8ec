-- A delivery takes two statements: `open_delivery` stores it, takes the locks of design section 7 and reads under them what the rules
-- ask; the application decides, and `write_cart` writes. See docs/adr/0010-a-delivery-takes-two-statements.md.
--
-- All of these run as their caller, so row-level security holds inside. All are VOLATILE on purpose: each statement of a volatile
-- function sees what was committed while the one before it waited for a lock; a STABLE one would go on with the old picture.
--
-- A connection keeps the plans of a function, also those that were made while the tables were empty and every order of a join cost the
-- same. So the look-ups say in which order they go: each `lateral (… offset 0)` is one look-up by an index, whatever the statistics say,
-- and one plan serves every call (`force_generic_plan`): for a list of unknown length Postgres would make a new one each time, which takes
-- longer than all the rest.

-- A tenant's slug, settings and scale come with its connection: one question instead of two.
drop function resolve_connection(text, uuid);
--> statement-breakpoint
create function resolve_connection(wanted_integration text, wanted_id uuid)
returns table (tenant_id uuid, id uuid, secrets jsonb, state text, slug text, settings jsonb, time_scale double precision)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
  if wanted_id is null then
    -- Without an id: only where the installation has exactly one connected account of that integration.
    select min(c.id::text)::uuid into wanted_id from public.connections c
    where c.integration = wanted_integration and c.state = 'connected' having count(*) = 1;
  end if;
  return query
    select c.tenant_id, c.id, c.secrets, c.state, t.slug, t.settings, t.time_scale
    from public.connections c join public.tenants t on t.id = c.tenant_id
    where c.integration = wanted_integration and c.id = wanted_id;
end $$;
--> statement-breakpoint
revoke execute on function resolve_connection(text, uuid) from public;
--> statement-breakpoint
grant execute on function resolve_connection(text, uuid) to rekindle_app;
--> statement-breakpoint

-- The advisory lock of a name: the first eight bytes of its SHA-256. Every build that ever ran beside this one must agree on it.
create function name_lock(name text) returns bigint language plpgsql immutable as $$
begin
  return ('x' || left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end $$;
--> statement-breakpoint

-- Whom and what these names find now. `named`: persons of the identities, of the given contacts, owners of the matched subjects and, for
-- a stop, of enrollments about them. `reached`: for a stop, also whoever shares an identity with one of the named (rule 10).
-- `locked`: those and the bystanders. `shared`: the identities over which a stop reaches others. Every list is sorted.
create function find_named(connection uuid, identity_kinds text[], identity_values text[], key_kinds text[], key_values text[],
  stops boolean, contact_ids uuid[], bystander_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  subject_ids uuid[] := '{}'; named uuid[] := '{}'; reached uuid[]; locked uuid[]; shared jsonb := '[]';
begin
  if cardinality(key_kinds) > 0 then
    select coalesce(array_agg(distinct s.id), '{}'), coalesce(array_agg(distinct c.person_id) filter (where c.person_id is not null), '{}')
      into subject_ids, named
    from unnest(key_kinds, key_values) as k(kind, value)
      cross join lateral (
        select sk.subject_id as id from subject_keys sk
        where sk.connection_id = connection and sk.kind = k.kind and sk.value = k.value offset 0) s
      cross join lateral (select o.contact_id from subjects o where o.id = s.id offset 0) owner
      left join lateral (select p.person_id from contacts p where p.id = owner.contact_id offset 0) c on true;
  end if;
  if cardinality(identity_kinds) > 0 then
    named := named || array(
      select c.person_id from unnest(identity_kinds, identity_values) as i(kind, value)
        cross join lateral (select h.contact_id from contact_identities h where h.kind = i.kind and h.value = i.value offset 0) held
        cross join lateral (select p.person_id from contacts p where p.id = held.contact_id offset 0) c);
  end if;
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
    with sharing as (
      select distinct theirs.kind, theirs.value, holder.person_id
      from unnest(named) as p(id)
        cross join lateral (select c.id from contacts c where c.person_id = p.id offset 0) c
        cross join lateral (select i.kind, i.value from contact_identities i where i.contact_id = c.id offset 0) theirs
        cross join lateral (
          select i.contact_id from contact_identities i where i.kind = theirs.kind and i.value = theirs.value offset 0) same
        cross join lateral (select h.person_id from contacts h where h.id = same.contact_id offset 0) holder)
    select array(select distinct p from (select unnest(named) union select s.person_id from sharing s) as r(p) order by p),
      coalesce((select jsonb_agg(jsonb_build_object('kind', d.kind, 'value', d.value) order by d.kind collate "C", d.value collate "C")
        from (select distinct s.kind, s.value from sharing s) d), '[]')
      into reached, shared;
  end if;
  locked := reached;
  if cardinality(bystander_ids) > 0 then
    locked := array(
      select distinct p from (select unnest(reached) union select c.person_id from contacts c where c.id = any(bystander_ids)) as l(p) order by p);
  end if;
  return jsonb_build_object('named', named, 'reached', reached, 'locked', locked, 'shared', shared,
    'subjects', array(select distinct s from unnest(subject_ids) s order by s));
end $$;
--> statement-breakpoint

-- Take the locks of an event: names sorted, then persons by id; look again under them. Null: the second look differed from the first,
-- the transaction is to start over with the larger set.
create function lock_named(connection uuid, identity_kinds text[], identity_values text[], key_kinds text[], key_values text[],
  stops boolean, contact_ids uuid[], bystander_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant text := current_setting('app.tenant'); shared jsonb := '[]'; before jsonb; found_now jsonb; lock_id bigint;
begin
  if stops then
    -- Over which further identities a stop reaches others has to be known before the locks, which are taken in one sorted go.
    before := find_named(connection, identity_kinds, identity_values, key_kinds, key_values, stops, contact_ids, bystander_ids);
    -- An address that a shop puts into thousands of customers' records must not use up the server's lock table: beyond this number only
    -- what the event itself names is locked by name; all the persons' rows still are.
    if jsonb_array_length(before -> 'shared') <= 500 then shared := before -> 'shared'; end if;
  end if;
  for lock_id in
    select distinct name_lock(n) from (
      select concat(tenant, ' person ', i.kind, ' ', i.value) from unnest(identity_kinds, identity_values) as i(kind, value)
      union all
      select concat(tenant, ' person ', s.kind, ' ', s.value) from jsonb_to_recordset(shared) as s(kind text, value text)
      union all
      select concat(tenant, ' subject ', connection, ' ', k.kind, ' ', k.value) from unnest(key_kinds, key_values) as k(kind, value)
    ) as names(n) order by 1
  loop
    perform pg_advisory_xact_lock(lock_id);
  end loop;
  if before is null then
    before := find_named(connection, identity_kinds, identity_values, key_kinds, key_values, stops, contact_ids, bystander_ids);
    -- Nobody to lock, and nobody can appear under these names while we hold them.
    if before -> 'locked' = '[]' then return before; end if;
  end if;
  perform from contacts c where c.id = any(array(select jsonb_array_elements_text(before -> 'locked')::uuid)) order by c.id for no key update;
  found_now := find_named(connection, identity_kinds, identity_values, key_kinds, key_values, stops, contact_ids, bystander_ids);
  return case when found_now = before then found_now end;
end $$;
--> statement-breakpoint

-- Everything that the rules of a cart ask, as it stands under the locks: these persons' contacts, identities and words about consent,
-- the subjects with all their enrollments, the active sequences, and which of the hashed addresses are closed to all marketing.
create function read_cart(person_ids uuid[], subject_ids uuid[], address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  world jsonb := '{"contacts": [], "identities": [], "consents": [], "subjects": [], "enrollments": []}';
begin
  if cardinality(person_ids) > 0 then
    world := world || jsonb_build_object(
      'contacts', (select jsonb_agg(to_jsonb(c) order by c.id) from contacts c where c.person_id = any(person_ids)),
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
  end if;
  if cardinality(subject_ids) > 0 then
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

-- Store a delivery, take its locks, and read a cart's world if one is asked for. A repeat gives the row that is `known` instead, locked.
create function open_delivery(delivery jsonb, connection uuid, identity_kinds text[], identity_values text[], key_kinds text[], key_values text[],
  stops boolean, address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; known jsonb; named jsonb;
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
  if named is null or address_hashes is null then return jsonb_build_object('named', named); end if;
  return jsonb_build_object('named', named, 'cart', read_cart(
    array(select jsonb_array_elements_text(named -> 'named')::uuid), array(select jsonb_array_elements_text(named -> 'subjects')::uuid),
    address_hashes));
end $$;
--> statement-breakpoint

-- Write what was decided about one cart: who, what, consents, sequences that begin with the first line of their story, and word for
-- Temporal. What is absent from `w` is left alone. Returns whether anything was left in the outbox.
create function write_cart(w jsonb) returns boolean
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; begun uuid[]; told uuid;
begin
  if w ? 'new_contact' then
    insert into contacts (tenant_id, id, person_id, lifecycle, first_name, last_name, locale, time_zone, country, region, order_count,
      lifetime_value_minor, last_seen_at, details_at)
    select tenant, c.id, c.id, c.lifecycle, c.first_name, c.last_name, c.locale, c.time_zone, c.country, c.region, c.order_count,
      c.lifetime_value_minor, c.last_seen_at, c.details_at
    from jsonb_to_record(w -> 'new_contact') as c(id uuid, lifecycle text, first_name text, last_name text, locale text, time_zone text,
      country text, region text, order_count int, lifetime_value_minor bigint, last_seen_at timestamptz, details_at timestamptz);
    if w ? 'identities' then
      insert into contact_identities (tenant_id, id, contact_id, kind, value)
      select tenant, i.id, (w #>> '{new_contact,id}')::uuid, i.kind, i.value
      from jsonb_to_recordset(w -> 'identities') as i(id uuid, kind text, value text);
    end if;
  end if;
  if w ? 'contact' then
    update contacts c set lifecycle = n.lifecycle, first_name = n.first_name, last_name = n.last_name, locale = n.locale,
      time_zone = n.time_zone, country = n.country, region = n.region, order_count = n.order_count,
      lifetime_value_minor = n.lifetime_value_minor, details_at = n.details_at
    from jsonb_to_record(w -> 'contact') as n(id uuid, lifecycle text, first_name text, last_name text, locale text, time_zone text,
      country text, region text, order_count int, lifetime_value_minor bigint, details_at timestamptz)
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
revoke execute on function name_lock(text), find_named(uuid, text[], text[], text[], text[], boolean, uuid[], uuid[]),
  lock_named(uuid, text[], text[], text[], text[], boolean, uuid[], uuid[]), read_cart(uuid[], uuid[], text[]),
  open_delivery(jsonb, uuid, text[], text[], text[], text[], boolean, text[]), write_cart(jsonb) from public;
--> statement-breakpoint
grant execute on function name_lock(text), find_named(uuid, text[], text[], text[], text[], boolean, uuid[], uuid[]),
  lock_named(uuid, text[], text[], text[], text[], boolean, uuid[], uuid[]), read_cart(uuid[], uuid[], text[]),
  open_delivery(jsonb, uuid, text[], text[], text[], text[], boolean, text[]), write_cart(jsonb) to rekindle_app;
--> statement-breakpoint

-- As in 0002, but a long outbox (Temporal was away) is walked by its indexes, in the order in which rows are due, and no further than asked:
-- the time is a value that an index can be searched for, which `clock_timestamp()` in the condition is not.
create or replace function claim_outbox(max_rows int, claim_ms int)
returns table (tenant_id uuid, seq bigint, enrollment_id uuid, kind text, attempts int, created_at timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  due_by timestamptz := clock_timestamp();
begin
  return query
  with heads as (
    select o.tenant_id, o.seq from public.outbox o
    where o.next_attempt_at <= due_by
      and (o.claimed_until is null or o.claimed_until <= due_by)
      and not exists (
        select 1 from public.outbox e where e.tenant_id = o.tenant_id and e.enrollment_id = o.enrollment_id and e.seq < o.seq)
    order by o.next_attempt_at, o.seq
    limit max_rows
    for update skip locked
  )
  update public.outbox o
  set claimed_until = clock_timestamp() + make_interval(secs => claim_ms / 1000.0), attempts = o.attempts + 1
  from heads h where o.tenant_id = h.tenant_id and o.seq = h.seq
  returning o.tenant_id, o.seq, o.enrollment_id, o.kind, o.attempts, o.created_at;
end $$;
