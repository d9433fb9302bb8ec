ALTER TABLE "risk_standings" ADD COLUMN "portfolio_run_id" uuid;--> statement-breakpoint
CREATE INDEX "risk_assessments_at" ON "risk_assessments" USING btree ("tenant_id","at");--> statement-breakpoint
grant update (portfolio_run_id) on risk_standings to rekindle_app;
--> statement-breakpoint
-- Empty or delete up to `most` rows of this tenant of one kind that are older than so many days (`domain/privacy/retention.ts`); `dry`: only count all of
-- them. Ids, times, amounts and outcomes of what was sent stay, and so do sums. What is still open is left alone, however old it is.
-- `empty_details`: the details of a cart of which nothing is known. SECURITY DEFINER: the application deletes none of these; it sees this tenant's alone.
create or replace function apply_retention(kind text, days int, most int, dry boolean, empty_details jsonb) returns int
language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  own uuid := nullif(current_setting('app.tenant', true), '')::uuid;
  before timestamptz := clock_timestamp() - make_interval(days => apply_retention.days);
  wanted text; change text; n int;
begin
  if own is null or days < 1 or most < 1 then return 0; end if;
  case kind
    when 'deliveries' then
      wanted := $q$select i.id from public.inbox i where i.tenant_id = $1 and i.received_at < $2 and i.state in ('applied', 'ignored') and i.events <> '[]'$q$;
      change := $q$update public.inbox t set events = '[]', notes = '[]', last_error = null from old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'unreadable' then
      wanted := $q$select q.id from public.quarantine q where q.tenant_id = $1 and q.received_at < $2 and q.released_at is not null and q.body <> ''$q$;
      change := $q$update public.quarantine t set body = '', headers = '{}' from old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'messages' then
      wanted := $q$select m.id from public.messages m join public.enrollments e on e.tenant_id = m.tenant_id and e.id = m.enrollment_id
        where m.tenant_id = $1 and m.settled_at < $2 and m.state in ('sent', 'skipped') and not m.live and e.ended_at < $2
          and (m.payload is not null or m.response is not null)$q$;
      change := $q$update public.messages t set payload = null, response = null from old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'transcripts' then
      wanted := $q$select c.message_id as id from public.calls c where c.tenant_id = $1 and c.reported_at < $2 and c.transcript is not null$q$;
      change := $q$update public.calls t set transcript = null, keywords = '[]' from old where t.tenant_id = $1 and t.message_id = old.id$q$;
    when 'model_texts' then
      wanted := $q$select c.id from public.compositions c join public.enrollments e on e.tenant_id = c.tenant_id and e.id = c.enrollment_id
        where c.tenant_id = $1 and c.created_at < $2 and e.ended_at < $2 and c.state in ('ready', 'failed')
          and (c.subject is not null or c.body <> '' or c.cta is not null or c.unedited is not null)$q$;
      change := $q$update public.compositions t set subject = null, body = '', cta = null, unedited = null from old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'chat_updates' then
      wanted := $q$select u.connection_id as id, u.update_id from public.chat_updates u
        where u.tenant_id = $1 and u.received_at < $2 and u.state in ('answered', 'silent')$q$;
      change := $q$delete from public.chat_updates t using old where t.tenant_id = $1 and t.connection_id = old.id and t.update_id = old.update_id$q$;
    when 'decisions' then
      wanted := $q$select d.id from public.decisions d join public.enrollments e on e.tenant_id = d.tenant_id and e.id = d.enrollment_id
        where d.tenant_id = $1 and d.at < $2 and e.ended_at < $2$q$;
      change := $q$delete from public.decisions t using old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'stories' then
      wanted := $q$select v.id from public.enrollment_events v join public.enrollments e on e.tenant_id = v.tenant_id and e.id = v.enrollment_id
        where v.tenant_id = $1 and v.at < $2 and e.ended_at < $2$q$;
      change := $q$delete from public.enrollment_events t using old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'stop_notes' then
      wanted := $q$select e.id from public.enrollments e where e.tenant_id = $1 and e.ended_at < $2 and e.stop_note is not null$q$;
      change := $q$update public.enrollments t set stop_note = null from old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'band_changes' then
      wanted := $q$select a.id from public.risk_assessments a where a.tenant_id = $1 and a.at < $2
          and (a.band <> a.band_before or a.enrollment_id is not null)
          and exists (select from public.risk_assessments n where n.tenant_id = a.tenant_id and n.subject_id = a.subject_id and n.at > a.at)
          and not exists (select from public.risk_standings r where r.tenant_id = a.tenant_id and r.subject_id = a.subject_id and r.assessment_id = a.id)
          and not exists (select from public.enrollments e where e.tenant_id = a.tenant_id and e.id = a.enrollment_id and (e.ended_at is null or e.ended_at >= $2))$q$;
      change := $q$delete from public.risk_assessments t using old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'assessments' then
      -- Those that changed nothing. The newest of each account stays: by its time, and the one that its standing names.
      wanted := $q$select a.id from public.risk_assessments a where a.tenant_id = $1 and a.at < $2
          and a.band = a.band_before and a.enrollment_id is null
          and exists (select from public.risk_assessments n where n.tenant_id = a.tenant_id and n.subject_id = a.subject_id and n.at > a.at)
          and not exists (select from public.risk_standings r where r.tenant_id = a.tenant_id and r.subject_id = a.subject_id and r.assessment_id = a.id)$q$;
      change := $q$delete from public.risk_assessments t using old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'message_events' then
      wanted := $q$select v.id, v.occurred_at from public.message_events v where v.tenant_id = $1 and v.occurred_at < $2$q$;
      change := $q$delete from public.message_events t using old where t.tenant_id = $1 and t.id = old.id and t.occurred_at = old.occurred_at$q$;
    when 'audit_log' then
      wanted := $q$select a.id from public.audit_log a where a.tenant_id = $1 and a.at < $2$q$;
      change := $q$delete from public.audit_log t using old where t.tenant_id = $1 and t.id = old.id$q$;
    when 'anonymous_carts' then
      wanted := $q$select s.id from public.subjects s where s.tenant_id = $1 and s.kind = 'cart' and s.last_activity_at < $2
          and s.email is null and s.phone is null
          and exists (select from public.subject_keys k where k.tenant_id = s.tenant_id and k.subject_id = s.id)
          and not exists (select from public.enrollments e where e.tenant_id = s.tenant_id and e.subject_id = s.id)
          and not exists (select from public.contacts c join public.contacts o on o.tenant_id = c.tenant_id and o.person_id = c.person_id
            join public.contact_identities i on i.tenant_id = o.tenant_id and i.contact_id = o.id
            where c.tenant_id = s.tenant_id and c.id = s.contact_id)$q$;
      change := $q$update public.subjects t set details = $4, items = '[]', restore_url = null, bought = null,
        state = case when t.state = 'open' then 'gone' else t.state end from old where t.tenant_id = $1 and t.id = old.id$q$;
    else
      raise exception 'retention knows no %', kind;
  end case;
  if dry then
    execute format('select count(*)::int from (%s) q where $3 > 0 and ($4 is null or true)', wanted) into n using own, before, most, empty_details;
    return n;
  end if;
  if kind = 'anonymous_carts' then
    -- Without its keys nothing finds it any more, and the next pass does not see it again.
    execute format('with old as (%s limit $3), keys as (delete from public.subject_keys k using old where k.tenant_id = $1 and k.subject_id = old.id) %s', wanted, change)
      using own, before, most, empty_details;
  else
    execute format('with old as (%s limit $3) %s', wanted, change) using own, before, most, empty_details;
  end if;
  get diagnostics n = row_count;
  return n;
end $$;
