-- The subject that a tracker means by these ids: of the attempt that one of them names; else the one whose conversion was reported under them before;
-- else the lead with that id, ours or its source's; else the lead whose source states that sub id, or that click id. Where one step finds several
-- of one person, it is the one about whom a sequence runs, else the latest; several of several persons are nobody's, and none is returned.
create function leads_of_tracker_ids(ids text[]) returns uuid[]
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_leads uuid[]; own uuid[]; persons uuid[];
  -- Ids that more leads than this have name a campaign or a banner, and no person.
  most constant int := 100;
begin
  own := array(select i.value::uuid from unnest(ids) as i(value) where i.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$');
  found_leads := array(
    select distinct e.subject_id
    from unnest(own) as i(id)
      cross join lateral (select m.enrollment_id from messages m where m.id = i.id offset 0) m
      cross join lateral (select r.subject_id from enrollments r where r.id = m.enrollment_id offset 0) e);
  if cardinality(found_leads) = 0 then
    found_leads := array(
      select distinct c.subject_id
      from unnest(ids) as i(value)
        cross join lateral (select t.ref_id from tracker_ids t where t.value = i.value and t.kind = 'conversion' offset 0) t
        cross join lateral (select k.subject_id from lead_conversions k where k.id = t.ref_id and k.subject_id is not null offset 0) c);
  end if;
  if cardinality(found_leads) = 0 then
    found_leads := array(
      select distinct s.id from unnest(own) as i(id) cross join lateral (select o.id from subjects o where o.id = i.id offset 0) s
      union
      select distinct k.subject_id
      from unnest(ids) as i(value) cross join connections n
        cross join lateral (
          select sk.subject_id from subject_keys sk where sk.connection_id = n.id and sk.kind = 'lead' and sk.value = i.value offset 0) k);
  end if;
  if cardinality(found_leads) = 0 then
    found_leads := array(
      select distinct t.ref_id from unnest(ids) as i(value)
        cross join lateral (select k.ref_id from tracker_ids k where k.value = i.value and k.kind = 'sub_id' limit most + 1) t);
  end if;
  if cardinality(found_leads) = 0 then
    found_leads := array(
      select distinct t.ref_id from unnest(ids) as i(value)
        cross join lateral (select k.ref_id from tracker_ids k where k.value = i.value and k.kind = 'click_id' limit most + 1) t);
  end if;
  if cardinality(found_leads) <= 1 then return found_leads; end if;
  if cardinality(found_leads) > most then return '{}'; end if;
  persons := array(
    select distinct p.person_id from unnest(found_leads) as l(id)
      cross join lateral (select o.contact_id from subjects o where o.id = l.id offset 0) owner
      left join lateral (select c.person_id from contacts c where c.id = owner.contact_id offset 0) p on true);
  if cardinality(persons) > 1 or persons[1] is null then return '{}'; end if;
  return array(
    select l.id from unnest(found_leads) as l(id)
      cross join lateral (select o.created_at from subjects o where o.id = l.id offset 0) s
    order by exists (select from enrollments e where e.subject_id = l.id and e.ended_at is null) desc, s.created_at desc, l.id desc
    limit 1);
end $$;
