CREATE TABLE "bots" (
	"tenant_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"running" boolean DEFAULT false NOT NULL,
	"delivery" text,
	"sealed_config" text,
	"account" text,
	"webhook_url" text,
	"next_update" bigint,
	"answers_from" timestamp (3) with time zone,
	"holder" text,
	"held_until" timestamp (3) with time zone,
	"next_try_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "bots_tenant_id_connection_id_pk" PRIMARY KEY("tenant_id","connection_id"),
	CONSTRAINT "bots_delivery" CHECK (delivery in ('webhook', 'polling'))
);
--> statement-breakpoint
ALTER TABLE "bots" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "last_interaction_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "ghost_reminder_sent" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "viewing_scheduled_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "bots" ADD CONSTRAINT "bots_connection_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "bots_kept" ON "bots" USING btree ("held_until");--> statement-breakpoint
CREATE INDEX "subjects_ghosts" ON "subjects" USING btree ("tenant_id","last_interaction_at","phone") WHERE last_interaction_at is not null and not ghost_reminder_sent and viewing_scheduled_at is null and state = 'open';--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "bots" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
grant select, insert, update (running, delivery, sealed_config, account, webhook_url, next_update, answers_from, holder, held_until, next_try_at, failures) on bots to rekindle_app;
--> statement-breakpoint
grant update (last_interaction_at, ghost_reminder_sent, viewing_scheduled_at) on subjects to rekindle_app;
--> statement-breakpoint
-- Trigger: the reminder of a lead that left a chat has gone out, or may have: it is the only one that the lead ever gets. Whatever settles the message
-- sets the flag in the same transaction. Source: docs/rules.md#rule-66
create function note_reminder() returns trigger language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  run record;
begin
  select e.subject_id, e.version_id into run from public.enrollments e
  where e.tenant_id = new.tenant_id and e.id = new.enrollment_id and e.subject_kind = 'lead';
  if found and exists (
      select from public.sequence_versions v where v.tenant_id = new.tenant_id and v.id = run.version_id and v.definition ->> 'on' = 'chat.ghosted') then
    update public.subjects s set ghost_reminder_sent = true
    where s.tenant_id = new.tenant_id and s.id = run.subject_id and not s.ghost_reminder_sent;
  end if;
  return null;
end $$;
--> statement-breakpoint
-- Forget when single addresses may get their next message, once that is an hour ago: then nothing holds it back. SECURITY DEFINER: it spans tenants,
-- and the application deletes no rates.
create function prune_send_rates() returns int
language sql security definer set search_path = pg_catalog, public as $$
  with gone as (
    delete from public.send_rates r where r.scope like 'address %' and r.free_at < clock_timestamp() - interval '1 hour' returning 1
  )
  select count(*)::int from gone
$$;
--> statement-breakpoint
-- What the rules need to know about one event, read under its locks.
--
-- `person_ids`: the persons whom the event reaches or whose number it names; `subject_ids`: the subjects that its keys find.
-- `parts` names what is read besides the people and these subjects:
--   leads        open leads of the persons, with all enrollments about them
--   runs         open enrollments of the persons, with their subjects; all enrollments of the matched subjects come in any case
--   sequences    the active sequences with their current versions
--   order        the order `order_number` of `connection`, and the subject that it was about
--   orders       the orders of the matched subjects; they come in any case where several subjects are matched, which makes them one
--   claims       provider calls that may be running to any of the persons
--   suppressions those in force for `address_hashes`
--   message      the message that the provider's account knows by this id
create or replace function read_world(person_ids uuid[], subject_ids uuid[], parts text[], connection uuid, order_number text, address_hashes text[],
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
  if cardinality(person_ids) > 0 and ('runs' = any(parts) or 'claims' = any(parts) or 'leads' = any(parts)) then
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
        'version_id', e.version_id, 'status', e.status, 'stop_reason', e.stop_reason, 'anchor_at', e.anchor_at, 'activated_at', e.activated_at,
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
  if 'runs' = any(parts) and cardinality(contact_ids) > 0 then
    select jsonb_agg(jsonb_build_object('id', e.id, 'subject_id', e.subject_id, 'contact_id', e.contact_id, 'sequence_id', e.sequence_id,
        'version_id', e.version_id, 'status', e.status, 'stop_reason', null, 'anchor_at', e.anchor_at, 'activated_at', e.activated_at,
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
  -- Bots that nobody keeps and that are to run, or that run and are to be stopped.
  select distinct b.tenant_id from public.bots b join public.connections c on c.tenant_id = b.tenant_id and c.id = b.connection_id
    where kind = 'bots' and (b.held_until is null or b.held_until <= clock_timestamp()) and b.next_try_at <= clock_timestamp()
      and (b.running or (c.state = 'connected' and c.removed_at is null and c.sealed_config is not null))
$$;
--> statement-breakpoint
-- Write what was decided about one event or about several that have nothing in common. Every key of `w` is a list of rows; what is absent is
-- left alone. The order of the statements is that of foreign keys, and of the rule that a subject has one open enrollment per sequence:
-- ends come before moves, moves before beginnings. Rows are few and found by their keys, whatever the statistics say: hence
-- `ids_of`, which gives every plan an index condition.
create or replace function write_world(w jsonb) returns void
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
end $$;
--> statement-breakpoint
revoke execute on function note_reminder(), prune_send_rates() from public;
--> statement-breakpoint
grant execute on function note_reminder(), prune_send_rates() to rekindle_app;
--> statement-breakpoint
revoke execute on function prune_send_rates() from public;
--> statement-breakpoint
grant execute on function prune_send_rates() to rekindle_app;
--> statement-breakpoint
create trigger notes_reminder after update of state on messages for each row
  when (new.state in ('sent', 'unknown') and old.state <> new.state) execute function note_reminder();
