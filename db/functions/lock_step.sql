-- Lock person, enrollment and message row, in this order, each in a statement of its own; only what is read afterwards counts. Sent together
-- with `read_step_2`, which reads the facts under these locks. Volatile on purpose: each statement sees what was committed while the one
-- before it waited for a lock. `lateral (… offset 0)` is one look-up by an index, whatever the statistics say.
-- Null: there is no such enrollment. `moved`: it changed its person while the lock was awaited. The ledger comes without other steps' payloads.
create function lock_step(wanted_enrollment uuid, wanted_step text) returns json
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  person uuid; person_now uuid; enrollment enrollments;
begin
  select c.person_id into person
  from (select o.contact_id from enrollments o where o.id = wanted_enrollment offset 0) e
    cross join lateral (select h.person_id from contacts h where h.id = e.contact_id offset 0) c;
  if person is null then return null; end if;
  perform from contacts c where c.id = person for no key update;
  select c.person_id into person_now
  from (select o.contact_id from enrollments o where o.id = wanted_enrollment offset 0) e
    cross join lateral (select h.person_id from contacts h where h.id = e.contact_id offset 0) c;
  if person_now is distinct from person then return json_build_object('moved', true); end if;
  select * into enrollment from enrollments e where e.id = wanted_enrollment for no key update;
  if not found then return null; end if;
  perform from messages m where m.enrollment_id = wanted_enrollment and m.step_id = wanted_step for update;
  return json_build_object(
    'person_id', person,
    'enrollment', to_json(enrollment),
    'row', (select to_json(m) from messages m where m.enrollment_id = wanted_enrollment and m.step_id = wanted_step),
    'ledger', coalesce((select json_agg(to_jsonb(m) - 'payload' order by m.id) from messages m where m.enrollment_id = wanted_enrollment), '[]'));
end $$;
