-- Write what was decided about one event or about several that have nothing in common. Every key of `w` is a list of rows; what is absent is
-- left alone. The order of the statements is that of foreign keys, and of the rule that a subject has one open enrollment per sequence:
-- ends come before moves, moves before beginnings. Rows are few and found by their keys, whatever the statistics say: hence
-- `ids_of`, which gives every plan an index condition.
create function write_world(w jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; begun uuid[] := '{}'; one jsonb; key record;
begin
  if w ? 'new_contacts' then
    insert into contacts (tenant_id, id, person_id, lifecycle, first_name, last_name, locale, time_zone, country, region, order_count,
      lifetime_value_minor, last_seen_at, last_order_at, last_reply_at, last_whatsapp_at, last_contacted_at,
      details_at)
    select tenant, c.id, c.person_id, c.lifecycle, c.first_name, c.last_name, c.locale, c.time_zone, c.country, c.region, c.order_count,
      c.lifetime_value_minor, c.last_seen_at, c.last_order_at, c.last_reply_at, c.last_whatsapp_at,
      c.last_contacted_at, c.details_at
    from jsonb_to_recordset(w -> 'new_contacts') as c(id uuid, person_id uuid, lifecycle text, first_name text, last_name text, locale text,
      time_zone text, country text, region text, order_count int, lifetime_value_minor bigint, last_seen_at timestamptz,
      last_order_at timestamptz, last_reply_at timestamptz, last_whatsapp_at timestamptz, last_contacted_at timestamptz, details_at timestamptz);
  end if;
  if w ? 'merges' then
    -- Before anything that the event itself adds to these contacts.
    insert into contact_merges (tenant_id, id, kept_contact_id, merged_contact_id, brought_by, identity_kinds, inbox_id, contact_ids, moved,
      ended_enrollment_ids)
    select tenant, m.id, m.kept, m.merged, m.brought_by, m.identity_kinds, m.inbox_id, m.contacts, jsonb_build_object(
        'identities', coalesce((select jsonb_agg(i.id order by i.id) from contact_identities i where i.contact_id = any(m.contacts)), '[]'),
        'subjects', coalesce((select jsonb_agg(s.id order by s.id) from subjects s where s.contact_id = any(m.contacts)), '[]'),
        'enrollments', coalesce((select jsonb_agg(e.id order by e.id) from enrollments e where e.contact_id = any(m.contacts)), '[]'),
        'consents', coalesce((select jsonb_agg(n.id order by n.id) from consents n where n.contact_id = any(m.contacts)), '[]')),
      m.ended
    from jsonb_to_recordset(w -> 'merges') as m(id uuid, kept uuid, merged uuid, brought_by text, identity_kinds jsonb, inbox_id uuid,
      contacts uuid[], ended uuid[]);
  end if;
  if w ? 'identities' then
    insert into contact_identities (tenant_id, id, contact_id, kind, value)
    select tenant, i.id, i.contact_id, i.kind, i.value
    from jsonb_to_recordset(w -> 'identities') as i(id uuid, contact_id uuid, kind text, value text)
    on conflict do nothing;
  end if;
  if w ? 'contacts' then
    update contacts c set person_id = n.person_id, lifecycle = n.lifecycle, first_name = n.first_name, last_name = n.last_name,
      locale = n.locale, time_zone = n.time_zone, country = n.country, region = n.region, order_count = n.order_count,
      lifetime_value_minor = n.lifetime_value_minor, details_at = n.details_at, last_seen_at = greatest(c.last_seen_at, n.last_seen_at),
      last_order_at = greatest(c.last_order_at, n.last_order_at), last_reply_at = greatest(c.last_reply_at, n.last_reply_at),
      last_contacted_at = greatest(c.last_contacted_at, n.last_contacted_at),
      last_whatsapp_at = greatest(c.last_whatsapp_at, n.last_whatsapp_at),
      -- Absent where the build before writes.
      taken_over_at = case when n.takeover is null then c.taken_over_at else (n.takeover ->> 'at')::timestamptz end,
      taken_over_until = case when n.takeover is null then c.taken_over_until else (n.takeover ->> 'until')::timestamptz end,
      apart = coalesce(n.apart, c.apart)
    from jsonb_to_recordset(w -> 'contacts') as n(id uuid, person_id uuid, lifecycle text, first_name text, last_name text, locale text,
      time_zone text, country text, region text, order_count int, lifetime_value_minor bigint, last_seen_at timestamptz,
      last_order_at timestamptz, last_reply_at timestamptz, last_whatsapp_at timestamptz, last_contacted_at timestamptz, details_at timestamptz, takeover jsonb,
      apart jsonb)
    where c.tenant_id = tenant and c.id = any(ids_of(w -> 'contacts')) and c.id = n.id;
  end if;
  if w ? 'consents' then
    insert into consents (tenant_id, id, contact_id, channel, state, source, basis, wording, proof, occurred_at)
    select tenant, s.id, s.contact_id, s.channel, s.state, s.source, s.basis, s.wording, coalesce(s.proof, '{}'), s.occurred_at
    from jsonb_to_recordset(w -> 'consents') as s(id uuid, contact_id uuid, channel text, state text, source text, basis text, wording text,
      proof jsonb, occurred_at timestamptz);
  end if;
  if w ? 'suppressions' then
    update suppressions s set since = greatest(s.since, n.since), basis = n.basis, lifted_at = case when n.lifted then clock_timestamp() end
    from jsonb_to_recordset(w -> 'suppressions') as n(id uuid, since timestamptz, basis text, lifted boolean)
    where s.tenant_id = tenant and s.id = any(ids_of(w -> 'suppressions')) and s.id = n.id;
  end if;
  if w ? 'new_suppressions' then
    insert into suppressions (tenant_id, id, address_hash, channel, reason, basis, since)
    select tenant, s.id, s.address_hash, s.channel, s.reason, s.basis, s.since
    from jsonb_to_recordset(w -> 'new_suppressions') as s(id uuid, address_hash text, channel text, reason text, basis text,
      since timestamptz);
  end if;
  if w ? 'new_subjects' then
    insert into subjects (tenant_id, id, kind, contact_id, state, currency, value_minor, details, details_version, email, email_at, phone,
      phone_at, previous_subject_id, started_at, last_activity_at, converted_at, contacted_at, last_contact_at, no_sequence,
      last_interaction_at, ghost_reminder_sent, viewing_scheduled_at)
    select tenant, s.id, s.kind, s.contact_id, s.state, s.currency, s.value_minor, s.details, s.details_version, s.email, s.email_at,
      s.phone, s.phone_at, s.previous_subject_id, s.started_at, s.last_activity_at, s.converted_at, s.contacted_at, s.last_contact_at, s.no_sequence,
      s.last_interaction_at, coalesce(s.ghost_reminder_sent, false), s.viewing_scheduled_at
    from jsonb_to_recordset(w -> 'new_subjects') as s(id uuid, kind text, contact_id uuid, state text, currency text, value_minor bigint,
      details jsonb, details_version int, email text, email_at timestamptz, phone text, phone_at timestamptz, previous_subject_id uuid,
      started_at timestamptz, last_activity_at timestamptz, converted_at timestamptz, contacted_at timestamptz,
      last_contact_at timestamptz, no_sequence jsonb, last_interaction_at timestamptz, ghost_reminder_sent boolean, viewing_scheduled_at timestamptz);
  end if;
  if w ? 'subjects' then
    -- Only the columns that a row names: not every subject is locked by one of its keys.
    update subjects s set
      contact_id = case when n.row ? 'contact_id' then (n.row ->> 'contact_id')::uuid else s.contact_id end,
      state = coalesce(n.row ->> 'state', s.state),
      currency = case when n.row ? 'currency' then n.row ->> 'currency' else s.currency end,
      value_minor = case when n.row ? 'value_minor' then (n.row ->> 'value_minor')::bigint else value_of_subject(s) end,
      details = coalesce(n.row -> 'details', details_of_subject(s)),
      details_version = coalesce((n.row ->> 'details_version')::int, s.details_version, 1),
      email = case when n.row ? 'email' then n.row ->> 'email' else s.email end,
      email_at = case when n.row ? 'email_at' then (n.row ->> 'email_at')::timestamptz else s.email_at end,
      phone = case when n.row ? 'phone' then n.row ->> 'phone' else s.phone end,
      phone_at = case when n.row ? 'phone_at' then (n.row ->> 'phone_at')::timestamptz else s.phone_at end,
      started_at = coalesce((n.row ->> 'started_at')::timestamptz, s.started_at),
      last_activity_at = coalesce((n.row ->> 'last_activity_at')::timestamptz, s.last_activity_at),
      converted_at = case when n.row ? 'converted_at' then (n.row ->> 'converted_at')::timestamptz else s.converted_at end,
      contacted_at = greatest(s.contacted_at, (n.row ->> 'contacted_at')::timestamptz),
      last_contact_at = greatest(s.last_contact_at, (n.row ->> 'last_contact_at')::timestamptz),
      last_interaction_at = greatest(s.last_interaction_at, (n.row ->> 'last_interaction_at')::timestamptz),
      ghost_reminder_sent = s.ghost_reminder_sent or coalesce((n.row ->> 'ghost_reminder_sent')::boolean, false),
      viewing_scheduled_at = case when n.row ? 'viewing_scheduled_at' then (n.row ->> 'viewing_scheduled_at')::timestamptz else s.viewing_scheduled_at end,
      no_sequence = case when n.row ? 'no_sequence' then nullif(n.row -> 'no_sequence', 'null') else s.no_sequence end
    from (select value as row, (value ->> 'id')::uuid as id from jsonb_array_elements(w -> 'subjects')) n
    where s.tenant_id = tenant and s.id = any(ids_of(w -> 'subjects')) and s.id = n.id;
  end if;
  if w ? 'routings' then
    insert into lead_routings (tenant_id, subject_id)
    select tenant, r.subject_id from jsonb_to_recordset(w -> 'routings') as r(subject_id uuid)
    on conflict do nothing;
  end if;
  if w ? 'united' then
    -- Subjects that turned out to be the same: keys and orders of the others become the kept one's.
    update subject_keys k set subject_id = u.kept
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid) where k.tenant_id = tenant and k.subject_id = any(ids_of(w -> 'united')) and k.subject_id = u.id;
    update conversions c set subject_id = u.kept
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid) where c.tenant_id = tenant and c.subject_id = any(ids_of(w -> 'united')) and c.subject_id = u.id;
    update lead_conversions c set subject_id = u.kept
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid) where c.tenant_id = tenant and c.subject_id = any(ids_of(w -> 'united')) and c.subject_id = u.id;
    insert into tracker_ids (tenant_id, value, kind, ref_id)
    select tenant, t.value, t.kind, u.kept
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid)
      cross join lateral (select k.value, k.kind from tracker_ids k where k.tenant_id = tenant and k.ref_id = u.id offset 0) t
    on conflict do nothing;
    delete from tracker_ids t where t.tenant_id = tenant and t.ref_id = any(ids_of(w -> 'united'));
    insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at, recorded_at)
    select tenant, gen_random_uuid(), u.kept, b.key, b.kind, b.data, b.occurred_at, b.recorded_at
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid)
      cross join lateral (select * from behaviours k where k.tenant_id = tenant and k.subject_id = u.id offset 0) b
    on conflict do nothing;
    delete from behaviours b where b.tenant_id = tenant and b.subject_id = any(ids_of(w -> 'united'));
    update risk_assessments a set subject_id = u.kept
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid) where a.tenant_id = tenant and a.subject_id = any(ids_of(w -> 'united')) and a.subject_id = u.id;
    -- The kept one is assessed by what all of them did.
    insert into risk_standings (tenant_id, subject_id, due_at)
    select tenant, u.kept, clock_timestamp()
    from jsonb_to_recordset(w -> 'united') as u(id uuid, kept uuid)
    where exists (select from risk_standings r where r.tenant_id = tenant and r.subject_id in (u.id, u.kept))
    group by u.kept
    order by u.kept
    on conflict (tenant_id, subject_id) do update set due_at = excluded.due_at;
    delete from risk_standings r where r.tenant_id = tenant and r.subject_id = any(ids_of(w -> 'united'));
  end if;
  if w ? 'moved_keys' then
    for key in
      select * from jsonb_to_recordset(w -> 'moved_keys') as m(subject_id uuid, connection_id uuid, kind text, value text)
    loop
      update subject_keys k set subject_id = key.subject_id
      where k.tenant_id = tenant and k.connection_id = key.connection_id and k.kind = key.kind and k.value = key.value;
    end loop;
  end if;
  if w ? 'keys' then
    insert into subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
    select tenant, k.id, k.subject_id, k.connection_id, k.kind, k.value
    from jsonb_to_recordset(w -> 'keys') as k(id uuid, subject_id uuid, connection_id uuid, kind text, value text)
    on conflict do nothing;
  end if;
  if w ? 'ends' then
    with n as (
      select * from jsonb_to_recordset(w -> 'ends') as n(id uuid, event_id uuid, inbox_id uuid, status text, reason text, note text, data jsonb)
    ), e as (
      update enrollments r set status = n.status, stop_reason = n.reason, stop_note = n.note, ended_at = clock_timestamp()
      from n where r.tenant_id = tenant and r.id = any(ids_of(w -> 'ends')) and r.id = n.id and r.ended_at is null
      returning r.id, n.event_id, n.inbox_id, n.reason, n.data
    ), told as (
      insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
      select tenant, e.event_id, e.id, 'stopped', e.inbox_id, jsonb_build_object('reason', e.reason) || coalesce(e.data, '{}') from e)
    insert into outbox (tenant_id, enrollment_id, kind) select tenant, e.id, 'stop' from e;
  end if;
  if w ? 'moved_enrollments' then
    update enrollments e set contact_id = m.contact_id, subject_id = m.subject_id
    from jsonb_to_recordset(w -> 'moved_enrollments') as m(id uuid, contact_id uuid, subject_id uuid)
    where e.tenant_id = tenant and e.id = any(ids_of(w -> 'moved_enrollments')) and e.id = m.id;
  end if;
  if w ? 'snoozes' then
    -- The ten latest. Each names an instant, so that forgetting an earlier one brings no step forward.
    with n as (
      select * from jsonb_to_recordset(w -> 'snoozes') as n(id uuid, event_id uuid, inbox_id uuid, at_ms bigint, until_ms bigint)
    ), s as (
      update enrollments e set snoozes = coalesce(
        jsonb_path_query_array(e.snoozes, '$[last - 8 to last]'), '[]') || jsonb_build_object('atMs', n.at_ms, 'untilMs', n.until_ms)
      from n where e.tenant_id = tenant and e.id = any(ids_of(w -> 'snoozes')) and e.id = n.id and e.ended_at is null
      returning e.id, n.event_id, n.inbox_id, n.until_ms)
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    select tenant, s.event_id, s.id, 'snoozed', s.inbox_id, jsonb_build_object('until_ms', s.until_ms) from s;
  end if;
  if w ? 'woken' then
    -- What was put off while a person answered is asked about again at once.
    with e as (
      update enrollments e set not_before = '{}'
      where e.tenant_id = tenant and e.id = any(ids_of(w -> 'woken')) and e.ended_at is null
      returning e.id)
    insert into outbox (tenant_id, enrollment_id, kind) select tenant, e.id, 'wake' from e;
  end if;
  if w ? 'enrollments' then
    with e as (
      insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, subject_kind, segment, value_minor, currency,
        time_scale, anchor_at, campaign_id)
      select tenant, n.id, n.sequence_id, n.version_id, n.contact_id, n.subject_id, n.subject_kind, n.segment, n.value_minor, n.currency,
        n.time_scale, n.anchor_at, n.campaign_id
      from jsonb_to_recordset(w -> 'enrollments') as n(id uuid, sequence_id uuid, version_id uuid, contact_id uuid, subject_id uuid,
        subject_kind text, segment text, value_minor bigint, currency text, time_scale double precision, anchor_at timestamptz,
        campaign_id uuid)
      on conflict do nothing
      returning id),
    told as (
      insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
      select tenant, n.event_id, e.id, 'enrolled', n.inbox_id, n.enrolled
      from e join jsonb_to_recordset(w -> 'enrollments') as n(id uuid, event_id uuid, inbox_id uuid, enrolled jsonb) on n.id = e.id),
    queued as (
      insert into outbox (tenant_id, enrollment_id, kind) select tenant, e.id, 'start' from e)
    select coalesce(array_agg(e.id), '{}') into begun from e;
  end if;
  if w ? 'stories' then
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    select tenant, s.id, s.enrollment_id, s.type, s.inbox_id, s.data
    from jsonb_to_recordset(w -> 'stories') as s(id uuid, enrollment_id uuid, type text, inbox_id uuid, data jsonb, of_beginning boolean)
    where not coalesce(s.of_beginning, false) or s.enrollment_id = any(begun);
  end if;
  if w ? 'credited' then
    -- Orders that were stored before the enrollment that they are credited to.
    with n as (
      select * from jsonb_to_recordset(w -> 'credited') as n(id uuid, enrollment_id uuid, event_id uuid, inbox_id uuid)
    ), c as (
      update conversions o set enrollment_id = n.enrollment_id
      from n where o.tenant_id = tenant and o.id = any(ids_of(w -> 'credited')) and o.id = n.id and o.enrollment_id is null
      returning o as row, n.event_id, n.inbox_id)
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    select tenant, c.event_id, (c.row).enrollment_id, case when (c.row).no_revenue is null then 'recovered' else 'order_void' end, c.inbox_id,
      story_of_order(c.row)
    from c;
  end if;
  if w ? 'orders' then
    for one in select value from jsonb_array_elements(w -> 'orders') loop perform credit_order(one); end loop;
  end if;
  if w ? 'order_updates' then
    for one in select value from jsonb_array_elements(w -> 'order_updates') loop perform update_order(one); end loop;
  end if;
  if w ? 'chat_updates' then
    insert into chat_updates (tenant_id, connection_id, update_id, chat_id, did, token, query_id, language_code, name, late)
    select tenant, u.connection_id, u.update_id, u.chat_id, u.did, u.token, u.query_id, u.language_code, u.name, u.late
    from jsonb_to_recordset(w -> 'chat_updates') as u(connection_id uuid, update_id bigint, chat_id text, did jsonb, token text, query_id text,
      language_code text, name text, late boolean)
    on conflict do nothing;
  end if;
  if w ? 'keyword_answers' then
    -- One of a kind in a day, so that two programs never write to each other.
    insert into keyword_answers (tenant_id, id, connection_id, channel, keyword, address, address_hash, locale, asked_at)
    select tenant, a.id, a.connection_id, a.channel, a.keyword, a.address, a.address_hash, a.locale, a.asked_at
    from jsonb_to_recordset(w -> 'keyword_answers') as a(id uuid, connection_id uuid, channel text, keyword text, address text, address_hash text,
      locale text, asked_at timestamptz)
    where not exists (select from keyword_answers k where k.tenant_id = tenant and k.address_hash = a.address_hash and k.channel = a.channel
      and k.keyword = a.keyword and k.asked_at > a.asked_at - interval '24 hours');
  end if;
  if w ? 'tasks' then
    insert into tasks (tenant_id, id, kind, key, subject_id, enrollment_id, data)
    select tenant, t.id, t.kind, t.key, t.subject_id, t.enrollment_id, t.data
    from jsonb_to_recordset(w -> 'tasks') as t(id uuid, kind text, key text, subject_id uuid, enrollment_id uuid, data jsonb)
    -- One that is open about the same is enough.
    on conflict do nothing;
  end if;
  if w ? 'receipts' then
    with r as (
      select * from jsonb_to_recordset(w -> 'receipts') as r(id uuid, event_id uuid, message_id uuid, enrollment_id uuid, step_id text, type text,
        at timestamptz, detail text, inbox_id uuid)
    ), proof as (
      -- Never touches `live`: the latest claim's call may still be running.
      update messages m set state = 'sent', settled_at = coalesce(m.settled_at, clock_timestamp())
      from r
      where r.type in ('message.delivered', 'call.answered', 'call.not_reached', 'call.failed') and m.tenant_id = tenant and m.id = any(ids_of(w -> 'receipts', 'message_id')) and m.id = r.message_id
        and m.state <> 'sent'
    ), kept as (
      insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type, machine, data)
      select tenant, r.id, r.at, r.message_id, r.enrollment_id, split_part(r.type, '.', 2), false,
        jsonb_strip_nulls(jsonb_build_object('detail', r.detail)) from r)
    insert into enrollment_events (tenant_id, id, enrollment_id, type, inbox_id, data)
    select tenant, r.event_id, r.enrollment_id, r.type, r.inbox_id, jsonb_strip_nulls(jsonb_build_object('step', r.step_id, 'detail', r.detail))
    from r;
  end if;
  if w ? 'lead_conversions' then
    insert into lead_conversions as c (tenant_id, id, connection_id, click, sub_id, click_id, tid, status, outcome, currency, payout_minor, reported_at,
      subject_id, message_id, matched_at, matched_by, reversed_at)
    select tenant, n.id, n.connection_id, n.click, n.sub_id, n.click_id, n.tid, n.status, n.outcome, n.currency, n.payout_minor, n.reported_at,
      n.subject_id, n.message_id, n.matched_at, n.matched_by, n.reversed_at
    from jsonb_to_recordset(w -> 'lead_conversions') as n(id uuid, connection_id uuid, click text, sub_id text, click_id text, tid text, status text,
      outcome text, currency text, payout_minor bigint, reported_at timestamptz, subject_id uuid, message_id uuid, matched_at timestamptz,
      matched_by text, reversed_at timestamptz)
    on conflict (tenant_id, id) do update set subject_id = excluded.subject_id, message_id = excluded.message_id, matched_at = excluded.matched_at,
      matched_by = excluded.matched_by, reversed_at = excluded.reversed_at;
    insert into tracker_ids (tenant_id, value, kind, ref_id)
    select tenant, i.value, 'conversion', n.id
    from jsonb_to_recordset(w -> 'lead_conversions') as n(id uuid, ids jsonb) cross join lateral jsonb_array_elements_text(n.ids) as i(value)
    on conflict do nothing;
  end if;
  if w ? 'tracker_ids' then
    insert into tracker_ids (tenant_id, value, kind, ref_id)
    select tenant, t.value, t.kind, t.subject_id from jsonb_to_recordset(w -> 'tracker_ids') as t(value text, kind text, subject_id uuid)
    on conflict do nothing;
  end if;
  if w ? 'calls' then
    -- The first outcome stays; a later report may bring what was said.
    insert into calls (tenant_id, message_id, outcome, reason, transcript, keywords, started_at, ended_at)
    select tenant, c.message_id, c.outcome, c.reason, c.transcript, c.keywords, c.started_at, c.ended_at
    from jsonb_to_recordset(w -> 'calls') as c(message_id uuid, outcome text, reason text, transcript text, keywords jsonb,
      started_at timestamptz, ended_at timestamptz)
    on conflict (tenant_id, message_id) do update set transcript = coalesce(calls.transcript, excluded.transcript),
      keywords = case when calls.transcript is null then excluded.keywords else calls.keywords end;
  end if;
  if w ? 'privacy_requests' then
    insert into privacy_requests (tenant_id, id, topic, contact_id, connection_id, requested_at)
    select tenant, p.id, p.topic, p.contact_id, p.connection_id, p.requested_at
    from jsonb_to_recordset(w -> 'privacy_requests') as p(id uuid, topic text, contact_id uuid, connection_id uuid, requested_at timestamptz);
  end if;
  if w ? 'facts' then
    -- In one order everywhere: two deliveries that state the same facts wait for each other's rows.
    insert into facts (tenant_id, id, kind, subject, value, source, connection_id, observed_at, expires_at)
    select tenant, f.id, f.kind, f.subject, f.value, f.source, f.connection_id, f.observed_at, f.expires_at
    from jsonb_to_recordset(w -> 'facts') as f(id uuid, kind text, subject text, value jsonb, source text, connection_id uuid,
      observed_at timestamptz, expires_at timestamptz)
    order by f.kind, f.subject, f.observed_at, f.source
    on conflict do nothing;
  end if;
  if w ? 'behaviours' then
    -- A repeat of what is known already adds nothing.
    insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at)
    select tenant, b.id, b.subject_id, b.key, b.kind, b.data, b.occurred_at
    from jsonb_to_recordset(w -> 'behaviours') as b(id uuid, subject_id uuid, key text, kind text, data jsonb, occurred_at timestamptz)
    order by b.subject_id, b.key
    on conflict do nothing;
    -- What an account did changes how it stands: it is assessed at once.
    insert into risk_standings (tenant_id, subject_id, due_at)
    select tenant, b.subject_id, clock_timestamp() from jsonb_to_recordset(w -> 'behaviours') as b(subject_id uuid)
    group by b.subject_id
    order by b.subject_id
    on conflict (tenant_id, subject_id) do update set due_at = excluded.due_at;
  end if;
  if w ? 'redeemed' then
    -- The first real order counts: a code is for one use.
    update offers o set redeemed_at = r.at, redeemed_order = r."order"
    from jsonb_to_recordset(w -> 'redeemed') as r(code text, "order" text, at timestamptz)
    where o.tenant_id = tenant and o.code = r.code and o.redeemed_at is null;
  end if;
  if w ? 'disconnected' then
    update connections c set state = 'disconnected'
    where c.tenant_id = tenant and c.id = any(array(select jsonb_array_elements_text(w -> 'disconnected')::uuid));
  end if;
  if w ? 'applied' then
    -- The contacts whose calls the answers wait for, and the notes that the decision added.
    update inbox i set state = 'applied', applied_at = clock_timestamp(), notes = i.notes || coalesce(n.notes, '[]'),
      covered_contact_ids = n.covered
    from jsonb_to_recordset(w -> 'applied') as n(id uuid, covered uuid[], notes jsonb)
    where i.tenant_id = tenant and i.id = any(ids_of(w -> 'applied')) and i.id = n.id;
  end if;
  if w ? 'reported' then
    -- What outgoing webhooks tell of the event itself; nothing where nobody listens.
    insert into webhook_events (tenant_id, id, source, data)
    select tenant, gen_random_uuid(), 'event', r.value
    from jsonb_array_elements(w -> 'reported') as r(value)
    where exists (select from webhook_endpoints p where p.tenant_id = tenant and p.listens)
      or exists (select from live_readers l where l.tenant_id = tenant and l.until > clock_timestamp());
  end if;
end $$;
