-- Take the personal data of these contacts out of everything that is theirs; ids, times, amounts and outcomes stay, and so do suppressions, which are
-- hashes. `empty_details`: the details of each kind of subject when nothing is known. The caller holds the person's lock, and no call is open.
-- @returns counts; under `tables`, how many rows were deleted or emptied, by table
create or replace function erase_person(erased_ids uuid[], empty_details jsonb) returns jsonb
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
  delete from chats c using contact_identities i where i.contact_id = any(erased_ids) and i.kind = 'telegram' and c.chat_id = i.value;
  get diagnostics touched = row_count;
  tables := tables || jsonb_build_object('chats', touched);
  update tasks t set data = '{}', result = null where t.subject_id = any(subject_ids);
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
--> statement-breakpoint
-- Empty the texts of this tenant in which something of an erased person was found although they belong to nobody in particular: notes, errors, values
-- before and after a change, requests. `wanted`: the columns, `table.column`; others than those below are left alone. `needles`: patterns of LIKE, `patterns`: regular expressions, both for texts in lower case.
-- @returns rows by table. SECURITY DEFINER: the application may not change the audit log, and no more than this.
create function shred_texts(wanted text[], needles text[], patterns text[]) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  own uuid := nullif(current_setting('app.tenant', true), '')::uuid;
  counts jsonb := '{}'; place record; n int;
begin
  if own is null then return counts; end if;
  for place in
    select * from (values
      ('audit_log', 'data', '''{}''::jsonb'),
      ('enrollments', 'stop_note', 'null'),
      ('enrollment_events', 'data', '''{}''::jsonb'),
      ('enrollment_requests', 'request', '''erased'''),
      ('imports', 'fault', 'null'),
      ('inbox', 'notes', '''[]''::jsonb'),
      ('inbox', 'last_error', 'null'),
      ('lookups', 'what', '''{}''::jsonb'),
      ('lookups', 'key', 'concat(''erased:'', t.id)'),
      ('lookups', 'last_error', 'null'),
      ('message_events', 'data', '''{}''::jsonb'),
      ('offers', 'note', 'null'),
      ('outbox', 'last_error', 'null'),
      ('parked_skips', 'note', '''erased'''),
      ('quarantine', 'reason', '''erased'''),
      ('quarantine', 'dismissal_reason', '''erased'''),
      ('tasks', 'data', '''{}''::jsonb'),
      ('tasks', 'result', 'null'),
      ('tasks', 'key', 'null')
    ) as places(in_table, in_column, empty)
    where in_table || '.' || in_column = any(wanted)
  loop
    execute format(
      'update public.%1$I t set %2$I = %3$s where t.tenant_id = $1 and t.%2$I is not null
         and (lower(t.%2$I::text) like any($2) or lower(t.%2$I::text) ~ any($3))',
      place.in_table, place.in_column, place.empty)
    using own, needles, patterns;
    get diagnostics n = row_count;
    if n > 0 then
      counts := counts || jsonb_build_object(place.in_table, coalesce((counts ->> place.in_table)::int, 0) + n);
    end if;
  end loop;
  return counts;
end $$;
--> statement-breakpoint
-- The tenants that have work for a background loop, so that ten thousand idle tenants cost nothing. SECURITY DEFINER: it spans tenants.
create or replace function tenants_with_work(kind text)
returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select distinct m.tenant_id from public.messages m
    where kind = 'dead_leases' and m.live and m.claimed_at + make_interval(secs => m.dead_lease_ms / 1000.0) <= clock_timestamp()
  union
  select distinct m.tenant_id from public.messages m
    where kind = 'in_doubt' and m.state = 'unknown' and m.find_from is not null and m.find_from <= clock_timestamp()
  union
  select distinct i.tenant_id from public.inbox i where kind = 'pending_inbox' and i.state = 'pending'
  union
  select distinct b.tenant_id from public.bulk_jobs b where kind = 'bulk_jobs' and b.state = 'running'
  union
  select distinct l.tenant_id from public.lead_routings l where kind = 'lead_routings' and l.routed_at is null
  union
  select distinct i.tenant_id from public.imports i where kind = 'imports' and i.state = 'running' and i.claimed_until <= clock_timestamp()
  union
  select distinct s.tenant_id from public.shadows s where kind = 'shadows' and s.ended_at is null
  union
  -- Codes at a shop that were taken back, or whose sequence ended before they could have been sent.
  select distinct o.tenant_id from public.offers o
    where kind = 'codes_to_close' and o.source <> 'pool' and o.closed_at_shop is null and o.ends_at > clock_timestamp()
      and (o.shop_after is null or o.shop_after <= clock_timestamp())
      and (o.asked_at is null or o.asked_at <= clock_timestamp() - interval '1 minute')
      and (o.state in ('revoked', 'refused')
        or exists (select from public.enrollments e where e.tenant_id = o.tenant_id and e.id = o.enrollment_id and e.ended_at is not null)
          and not exists (select from public.messages m where m.tenant_id = o.tenant_id and m.enrollment_id = o.enrollment_id
            and m.step_id = o.step_id and m.state in ('claimed', 'sent', 'unknown')))
  union
  select distinct l.tenant_id from public.lookups l
    where kind = 'lookups' and l.state = 'waiting' and (l.next_at <= clock_timestamp() or l.locked_out)
  union
  select distinct r.tenant_id from public.risk_standings r where kind = 'risk_due' and r.due_at <= clock_timestamp()
  union
  select distinct r.tenant_id from public.risk_runs r
    where kind = 'risk_runs' and r.ended_at is null and (r.touched_at is null or r.touched_at <= clock_timestamp() - interval '1 minute')
  union
  select distinct u.tenant_id from public.chat_updates u where kind = 'chats' and u.state = 'waiting' and u.next_at <= clock_timestamp()
  union
  -- Hot leads that nobody was told about, where there is an admin chat.
  select distinct t.tenant_id from public.tasks t join public.tenants n on n.id = t.tenant_id
    where kind = 'alerts' and t.kind = 'hot_lead' and t.state = 'open' and t.claimed_at is null and t.due_at <= clock_timestamp()
      and n.settings ->> 'adminChatId' is not null
  union
  -- Bots that nobody keeps and that are to run, or that run and are to be stopped.
  select distinct b.tenant_id from public.bots b join public.connections c on c.tenant_id = b.tenant_id and c.id = b.connection_id
    where kind = 'bots' and (b.held_until is null or b.held_until <= clock_timestamp()) and b.next_try_at <= clock_timestamp()
      and (b.running or (c.state = 'connected' and c.removed_at is null and c.sealed_config is not null))
  union
  -- Erasures and exports whose workflow is to be started, and what shops have passed on.
  select distinct e.tenant_id from public.erasures e where kind = 'privacy' and e.state = 'running' and e.next_start_at <= clock_timestamp()
  union
  select distinct x.tenant_id from public.person_exports x where kind = 'privacy' and x.state <> 'expired' and x.next_start_at <= clock_timestamp()
  union
  select distinct p.tenant_id from public.privacy_requests p where kind = 'privacy' and p.done_at is null
$$;
--> statement-breakpoint
revoke execute on function shred_texts(text[], text[], text[]) from public;
--> statement-breakpoint
grant execute on function shred_texts(text[], text[], text[]) to rekindle_app;
