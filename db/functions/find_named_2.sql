-- The persons and subjects that these names find now. Every list is sorted.
-- `named`: persons of the strong identities (every kind but `phone`), of the given contacts, owners of the matched subjects and, for a stop,
--   of enrollments about them; where the number alone is given, its holders.
-- `reached`: for a stop, also whoever shares a strong identity with one of the named.
-- `near`: persons who share no more than the event's number. They are locked: one of them may turn out to be the person named.
-- `locked`: all of these, whose rows are locked. `shared`: the identities over which a stop reaches others.
-- `crowded`: identities of the event that more than `most_holders()` are said to have: they name nobody.
create function find_named_2(identity_kinds text[], identity_values text[], key_connections uuid[], key_kinds text[], key_values text[],
  stops boolean, contact_ids uuid[], bystander_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  subject_ids uuid[] := '{}'; named uuid[] := '{}'; reached uuid[]; near uuid[] := '{}'; locked uuid[]; shared jsonb := '[]';
  crowded jsonb := '[]'; is_strong boolean := false; holders uuid[]; tracked uuid[]; holder_count int; identity record;
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
  if stops and 'tracker_id' = any(key_kinds) then
    -- A tracker names a lead by ids of its own. A lead's event has them for their locks alone: it is no stop.
    tracked := leads_of_tracker_ids(array(select k.value from unnest(key_kinds, key_values) as k(kind, value) where k.kind = 'tracker_id'));
    subject_ids := subject_ids || tracked;
    named := named || array(
      select p.person_id from unnest(tracked) as t(id)
        cross join lateral (select o.contact_id from subjects o where o.id = t.id offset 0) owner
        cross join lateral (select c.person_id from contacts c where c.id = owner.contact_id offset 0) p);
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
    -- A subject may have changed its owner since its sequence began.
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
