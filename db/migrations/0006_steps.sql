-- A look at a step takes two statements that travel together: `lock_step` takes its locks, `read_step` reads under them what the gates ask.
-- What is said in 0004 about locks, pictures and plans holds here too.

-- Lock person, enrollment and message row, in this order, each in a statement of its own; only what is read afterwards counts. Null: there
-- is no such enrollment. `moved`: it changed its person while the lock was awaited. The ledger is without the payloads of other steps.
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
--> statement-breakpoint

-- Everything that the gates of a step ask, under the locks of `lock_step`: the tenant, what was abandoned, and all that is known of the
-- person; identities in the order in which they are written to: the contact's own first, then the newest. Null: no such enrollment.
create function read_step(wanted_enrollment uuid) returns json
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
    -- The latest of each word on a channel: a shop may repeat one with every cart.
    'consents', coalesce((
      select json_agg(json_build_object('channel', said.channel, 'state', said.state, 'at', said.latest_at))
      from (select n.channel, n.state, max(n.occurred_at) as latest_at from consents n where n.contact_id = any(contact_ids) group by 1, 2) said), '[]'));
end $$;
--> statement-breakpoint
revoke execute on function lock_step(uuid, text), read_step(uuid) from public;
--> statement-breakpoint
grant execute on function lock_step(uuid, text), read_step(uuid) to rekindle_app;
