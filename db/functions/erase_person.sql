-- Take the personal data of these contacts out of everything that is theirs; ids, times, amounts and outcomes stay, and so do suppressions, which are
-- hashes. `empty_details`: the details of each kind of subject when nothing is known. The caller holds the person's lock, and no call is open.
-- @returns counts; under `tables`, how many rows were deleted or emptied, by table
create function erase_person(erased_ids uuid[], empty_details jsonb) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  subject_ids uuid[]; enrollment_ids uuid[]; message_count int; consent_count int; touched int; tables jsonb := '{}';
begin
  subject_ids := array(select s.id from subjects s where s.contact_id = any(erased_ids));
  enrollment_ids := array(select e.id from enrollments e where e.contact_id = any(erased_ids));
  update contacts c set first_name = null, last_name = null, locale = null, time_zone = null, country = null, region = null, order_count = null,
    lifetime_value_minor = null, details_at = null
  where c.id = any(erased_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('contacts', touched);
  update offers o set note = null where o.contact_id = any(erased_ids) and o.note is not null;
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('offers', touched);
  delete from chat_updates u using contact_identities i where i.contact_id = any(erased_ids) and i.kind = 'telegram' and u.chat_id = i.value;
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('chat_updates', touched);
  update keyword_answers k set state = 'too_late', address = null, locale = null, settled_at = clock_timestamp()
  from contact_identities i where i.contact_id = any(erased_ids) and i.kind = 'phone' and k.address = i.value;
  delete from chats c using contact_identities i where i.contact_id = any(erased_ids) and i.kind = 'telegram' and c.chat_id = i.value;
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('chats', touched);
  update tasks t set data = '{}', result = null, recommendation = null where t.subject_id = any(subject_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('tasks', touched);
  delete from behaviours b where b.subject_id = any(subject_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('behaviours', touched);
  delete from risk_standings r where r.subject_id = any(subject_ids);
  delete from risk_assessments a where a.subject_id = any(subject_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('risk_assessments', touched);
  delete from contact_identities i where i.contact_id = any(erased_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('contact_identities', touched);
  update consents n set wording = null, proof = '{}' where n.contact_id = any(erased_ids);
  get diagnostics consent_count = row_count;
  delete from tracker_ids t where t.ref_id = any(subject_ids)
    or t.ref_id = any(array(select c.id from lead_conversions c where c.subject_id = any(subject_ids)));
  -- What a tracker knows of a click is theirs; that there was one, and what it brought, is the store's.
  update lead_conversions c set click = concat('erased:', c.id), sub_id = null, click_id = null where c.subject_id = any(subject_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('lead_conversions', touched);
  delete from subject_keys k where k.subject_id = any(subject_ids);
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('subject_keys', touched);
  update subjects s set email = null, email_at = null, phone = null, phone_at = null, details = empty_details -> s.kind, items = '[]',
    restore_url = null, bought = null, state = case when s.state = 'open' then 'gone' else s.state end
  where s.id = any(subject_ids);
  update messages m set payload = null, response = null where m.contact_id = any(erased_ids) or m.enrollment_id = any(enrollment_ids);
  get diagnostics message_count = row_count;
  update calls l set transcript = null, keywords = '[]'
  from messages m
  where l.message_id = m.id and (m.contact_id = any(erased_ids) or m.enrollment_id = any(enrollment_ids));
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('calls', touched);
  update enrollments e set stop_note = null where e.id = any(enrollment_ids);
  -- What a provider said about a message may name its address.
  update enrollment_events v set data = v.data - 'detail' where v.enrollment_id = any(enrollment_ids) and v.data ? 'detail';
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('enrollment_events', touched);
  update message_events v set data = v.data - 'detail' where v.enrollment_id = any(enrollment_ids) and v.data ? 'detail';
  update privacy_requests p set done_at = clock_timestamp() where p.contact_id = any(erased_ids) and p.topic = 'redact' and p.done_at is null;
  return jsonb_build_object('contacts', cardinality(erased_ids), 'subjects', cardinality(subject_ids), 'enrollments', cardinality(enrollment_ids),
    'messages', message_count, 'consents', consent_count,
    'tables', tables || jsonb_build_object('subjects', cardinality(subject_ids), 'messages', message_count, 'consents', consent_count));
end $$;
