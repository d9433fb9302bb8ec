-- What the rules need to know about one event, read under its locks.
--
-- `person_ids`: the persons whom the event reaches or whose number it names; `subject_ids`: the subjects that its keys find.
-- `parts` names what is read besides the people and these subjects:
--   leads        open leads of the persons, with all enrollments about them
--   earlier      ended enrollments of the persons about leads, the latest ones, without their subjects
--   runs         open enrollments of the persons, with their subjects; all enrollments of the matched subjects come in any case
--   sequences    the active sequences with their current versions
--   order        the order `order_number` of `connection`, and the subject that it was about
--   orders       the orders of the matched subjects; they come in any case where several subjects are matched, which makes them one
--   claims       provider calls that may be running to any of the persons
--   suppressions those in force for `address_hashes`
--   message      the message that the provider's account knows by this id
create function read_world(person_ids uuid[], subject_ids uuid[], parts text[], connection uuid, order_number text, address_hashes text[],
  message_account text, message_number text) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  world jsonb := read_people_2(person_ids) || '{"subjects": [], "runs": [], "sequences": [], "orders": [], "claims": [], "suppressions": []}';
  contact_ids uuid[] := '{}'; read_subjects uuid[] := subject_ids; known_subject uuid; wanted_message uuid; running jsonb; own jsonb; predecessors uuid[];
  tracker_names text[]; reports uuid[];
begin
  if 'order' = any(parts) and order_number is not null then
    -- A repeat of a known order is about the subject that it was about before, even if another subject has its keys now.
    select c.subject_id into known_subject from conversions c where c.connection_id = connection and c.order_id = order_number;
    if found then world := world || jsonb_build_object('order', jsonb_build_object('subject_id', known_subject)); end if;
    if known_subject is not null then read_subjects := array(select distinct s from unnest(read_subjects || known_subject) s); end if;
  end if;
  if cardinality(person_ids) > 0 and ('runs' = any(parts) or 'earlier' = any(parts) or 'claims' = any(parts) or 'leads' = any(parts)) then
    contact_ids := array(select c.id from contacts c where c.person_id = any(person_ids));
  end if;
  if 'leads' = any(parts) and cardinality(contact_ids) > 0 then
    -- The latest ones: a person talks about what they asked about last.
    read_subjects := array(select distinct s from unnest(read_subjects || array(
      select s.id from unnest(contact_ids) as c(id)
        cross join lateral (select l.* from subjects l where l.contact_id = c.id offset 0) s
      where s.kind = 'lead' and s.state = 'open' order by s.last_activity_at desc, s.id limit 20)) s);
  end if;
  if cardinality(read_subjects) > 0 then
    predecessors := array(
      select distinct s.previous_subject_id from subjects s where s.id = any(read_subjects) and s.previous_subject_id is not null);
    if cardinality(predecessors) > 0 then read_subjects := array(select distinct s from unnest(read_subjects || predecessors) s); end if;
    select coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id, 'contact_id', e.contact_id, 'sequence_id', e.sequence_id,
        'version_id', e.version_id, 'campaign_id', e.campaign_id, 'status', e.status, 'stop_reason', e.stop_reason, 'anchor_at', e.anchor_at, 'activated_at', e.activated_at,
        'enrolled_at', e.enrolled_at, 'ended_at', e.ended_at) order by e.id), '[]')
      into own
    from enrollments e where e.subject_id = any(read_subjects);
    world := world || jsonb_build_object('runs', own);
    if 'orders' = any(parts) or cardinality(subject_ids) > 1 then
      world := world || jsonb_build_object('orders', coalesce((
        select jsonb_agg(jsonb_build_object('id', c.id, 'subject_id', c.subject_id, 'enrollment_id', c.enrollment_id, 'placed_at', c.placed_at,
          'no_revenue', c.no_revenue) order by c.id)
        from conversions c where c.subject_id = any(read_subjects)), '[]'));
    end if;
  end if;
  if 'earlier' = any(parts) and cardinality(contact_ids) > 0 then
    select jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id, 'contact_id', e.contact_id, 'sequence_id', e.sequence_id,
        'version_id', e.version_id, 'campaign_id', e.campaign_id, 'status', e.status, 'stop_reason', e.stop_reason, 'anchor_at', e.anchor_at, 'activated_at', e.activated_at,
        'enrolled_at', e.enrolled_at, 'ended_at', e.ended_at) order by e.id)
      into running
    from (
      select l.* from unnest(contact_ids) as c(id)
        cross join lateral (select r.* from enrollments r where r.contact_id = c.id and r.ended_at is not null and r.subject_kind = 'lead' offset 0) l
      where l.subject_id <> all(read_subjects) order by l.id desc limit 100) e;
    if running is not null then world := world || jsonb_build_object('runs', (world -> 'runs') || running); end if;
  end if;
  if 'runs' = any(parts) and cardinality(contact_ids) > 0 then
    select jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id, 'contact_id', e.contact_id, 'sequence_id', e.sequence_id,
        'version_id', e.version_id, 'campaign_id', e.campaign_id, 'status', e.status, 'stop_reason', null, 'anchor_at', e.anchor_at, 'activated_at', e.activated_at,
        'enrolled_at', e.enrolled_at, 'ended_at', null) order by e.id), array(select distinct s from unnest(read_subjects || array_agg(e.subject_id)) s)
      into running, read_subjects
    from unnest(contact_ids) as c(id)
      cross join lateral (select r.* from enrollments r where r.contact_id = c.id and r.ended_at is null offset 0) e
    where e.subject_id <> all(read_subjects);
    if running is not null then world := world || jsonb_build_object('runs', (world -> 'runs') || running); end if;
  end if;
  if cardinality(read_subjects) > 0 then
    world := world || jsonb_build_object('subjects', (
      select jsonb_agg(jsonb_build_object('id', s.id, 'kind', s.kind, 'contact_id', s.contact_id, 'state', s.state, 'currency', s.currency,
        'value_minor', value_of_subject(s), 'details', details_of_subject(s), 'email', s.email, 'email_at', s.email_at, 'phone', s.phone,
        'phone_at', s.phone_at, 'previous_subject_id', s.previous_subject_id, 'started_at', s.started_at,
        'last_activity_at', s.last_activity_at, 'converted_at', s.converted_at,
        'contacted_at', s.contacted_at, 'last_contact_at', s.last_contact_at, 'no_sequence', s.no_sequence,
        'last_interaction_at', s.last_interaction_at, 'ghost_reminder_sent', s.ghost_reminder_sent, 'viewing_scheduled_at', s.viewing_scheduled_at) order by s.id)
      from subjects s where s.id = any(read_subjects)));
  end if;
  if 'sequences' = any(parts) then
    world := world || jsonb_build_object('sequences', coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'version_id', s.current_version_id,
        -- Its campaigns begin it, and nothing else does by itself.
        'in_campaigns', exists (select 1 from campaigns k where k.sequence_id = s.id and k.status <> 'ENDED')) order by s.id)
      from sequences s where s.status = 'ACTIVE' and not s.paused and s.current_version_id is not null), '[]'),
      -- Whether a new lead may have a campaign to go to.
      'routes', exists (select 1 from campaigns k where k.status = 'ACTIVE' and k.auto_assign is not null));
  end if;
  if 'claims' = any(parts) and cardinality(contact_ids) > 0 then
    -- As `readLiveClaims` reads them: messages to these contacts, and messages of enrollments that are theirs now.
    world := world || jsonb_build_object('claims', coalesce((
      select jsonb_agg(distinct jsonb_build_object('claim', l.claim, 'leaseMs', l.lease_ms, 'contact_id', l.contact_id)) from (
        select m.claim, m.lease_ms, c.id as contact_id
        from unnest(contact_ids) as c(id)
          cross join lateral (select h.claim, h.lease_ms from messages h where h.live and h.contact_id = c.id offset 0) m
        union all
        select m.claim, m.lease_ms, c.id
        from unnest(contact_ids) as c(id)
          cross join lateral (select r.id from enrollments r where r.contact_id = c.id offset 0) e
          cross join lateral (select h.claim, h.lease_ms from messages h where h.enrollment_id = e.id and h.live offset 0) m) l
      where l.claim is not null), '[]'));
  end if;
  if 'message' = any(parts) then
    -- By the id of its provider, or, as `key:enrollment:step`, by its own.
    if message_number ~ '^key:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:' then
      wanted_message := (select k.id from messages k
        where k.enrollment_id = substr(message_number, 5, 36)::uuid and k.step_id = substr(message_number, 42) and k.account = message_account);
    else
      wanted_message := (select k.id from messages k where k.account = message_account and k.provider_message_id = message_number limit 1);
    end if;
    world := world || coalesce((
      select jsonb_build_object('message', jsonb_build_object('id', m.id, 'enrollment_id', m.enrollment_id, 'step_id', m.step_id,
        'payload', m.payload, 'call', (
          select jsonb_build_object('hasTranscript', c.transcript is not null) from calls c where c.message_id = m.id)))
      from messages m where m.id = wanted_message), '{}');
  end if;
  if 'conversions' = any(parts) then
    tracker_names := array(select jsonb_array_elements_text(coalesce(message_number, '[]')::jsonb));
    reports := array(
      select distinct t.ref_id from unnest(tracker_names) as i(value)
        cross join lateral (select k.ref_id from tracker_ids k where k.value = i.value and k.kind = 'conversion' offset 0) t);
    world := world || jsonb_build_object('conversions', coalesce((
      select jsonb_agg(to_jsonb(c) order by c.reported_at, c.id) from lead_conversions c
      where c.id = any(reports) or c.subject_id = any(subject_ids)), '[]'),
      'tracked', coalesce((
        select jsonb_agg(distinct t.ref_id) from unnest(tracker_names) as i(value)
          cross join lateral (select k.ref_id from tracker_ids k where k.value = i.value and k.kind <> 'conversion' limit 3) t), '[]'));
    world := world || coalesce((
      select jsonb_build_object('attempt', jsonb_build_object('id', m.id, 'enrollment_id', m.enrollment_id))
      from unnest(tracker_names) as i(value)
        cross join lateral (select k.id, k.enrollment_id from messages k where k.id = case
          when i.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then i.value::uuid end offset 0) m
      limit 1), '{}');
  end if;
  if cardinality(address_hashes) > 0 then
    world := world || jsonb_build_object('suppressions', read_suppressions(address_hashes));
  end if;
  return world;
end $$;
