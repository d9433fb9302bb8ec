-- Everything that the gates of a step ask, under the locks of `lock_step`: the tenant, the subject, and all that is known of the person; identities
-- in the order in which they are tried as addresses: the contact's own first, then the newest. Null: no such enrollment.
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
    -- The latest of each statement on a channel: a shop may repeat one with every event.
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
