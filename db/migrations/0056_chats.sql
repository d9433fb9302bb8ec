CREATE TABLE "admin_codes" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"hash" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "admin_codes_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "admin_codes_hash" UNIQUE("tenant_id","hash")
);
--> statement-breakpoint
ALTER TABLE "admin_codes" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "chat_updates" (
	"tenant_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"update_id" bigint NOT NULL,
	"chat_id" text NOT NULL,
	"did" jsonb NOT NULL,
	"token" text,
	"query_id" text,
	"language_code" text,
	"name" text,
	"late" boolean DEFAULT false NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"replies" jsonb,
	"sent" jsonb,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"last_error" text,
	"received_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"claimed_at" timestamp (3) with time zone,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "chat_updates_tenant_id_connection_id_update_id_pk" PRIMARY KEY("tenant_id","connection_id","update_id"),
	CONSTRAINT "chat_updates_state" CHECK (state in ('waiting', 'claimed', 'answered', 'silent'))
);
--> statement-breakpoint
ALTER TABLE "chat_updates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "chats" (
	"tenant_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"chat_id" text NOT NULL,
	"phase" text NOT NULL,
	"language" text,
	"name" text,
	"phone" text,
	"goal" text,
	"urgency_score" integer DEFAULT 0 NOT NULL,
	"fomo_messages_sent" integer DEFAULT 0 NOT NULL,
	"asked" integer DEFAULT 0 NOT NULL,
	"alerted" boolean DEFAULT false NOT NULL,
	"blocked_by" bigint,
	"standing_by" bigint DEFAULT 0 NOT NULL,
	"shown" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"version" integer DEFAULT 0 NOT NULL,
	"wrong_codes" integer DEFAULT 0 NOT NULL,
	"wrong_codes_since" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "chats_tenant_id_connection_id_chat_id_pk" PRIMARY KEY("tenant_id","connection_id","chat_id"),
	CONSTRAINT "chats_phase" CHECK (phase in ('CAPTURE_CONTACT', 'VALUE_PROPOSITION', 'ENGAGEMENT')),
	CONSTRAINT "chats_urgency" CHECK (urgency_score between 0 and 10)
);
--> statement-breakpoint
ALTER TABLE "chats" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "tasks" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"key" text,
	"owner" text,
	"state" text DEFAULT 'open' NOT NULL,
	"due_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"subject_id" uuid,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"result" text,
	"claimed_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"closed_at" timestamp (3) with time zone,
	"closed_by" text,
	CONSTRAINT "tasks_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "tasks_state" CHECK (state in ('open', 'done', 'dismissed'))
);
--> statement-breakpoint
ALTER TABLE "tasks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "admin_codes" ADD CONSTRAINT "admin_codes_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_updates" ADD CONSTRAINT "chat_updates_connection_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_connection_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "chat_updates_waiting" ON "chat_updates" USING btree ("tenant_id","connection_id","chat_id","update_id") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "chat_updates_chat" ON "chat_updates" USING btree ("tenant_id","connection_id","chat_id");--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_open_key" ON "tasks" USING btree ("tenant_id","key") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "tasks_open" ON "tasks" USING btree ("tenant_id","kind") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "tasks_subject" ON "tasks" USING btree ("tenant_id","subject_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "admin_codes" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "chat_updates" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "chats" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "tasks" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
-- Take the personal data of these contacts out of everything that is theirs; ids, times, amounts and outcomes stay, and so do suppressions, which are
-- hashes. `empty_details`: the details of each kind of subject when nothing is known. The caller holds the person's lock, and no call is open.
create or replace function erase_person(erased_ids uuid[], empty_details jsonb) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  subject_ids uuid[]; enrollment_ids uuid[]; message_count int; consent_count int;
begin
  subject_ids := array(select s.id from subjects s where s.contact_id = any(erased_ids));
  enrollment_ids := array(select e.id from enrollments e where e.contact_id = any(erased_ids));
  update contacts c set first_name = null, last_name = null, locale = null, time_zone = null, country = null, region = null, order_count = null,
    lifetime_value_minor = null, details_at = null
  where c.id = any(erased_ids);
  delete from chat_updates u using contact_identities i where i.contact_id = any(erased_ids) and i.kind = 'telegram' and u.chat_id = i.value;
  delete from chats c using contact_identities i where i.contact_id = any(erased_ids) and i.kind = 'telegram' and c.chat_id = i.value;
  update tasks t set data = '{}', result = null where t.subject_id = any(subject_ids);
  delete from contact_identities i where i.contact_id = any(erased_ids);
  update consents n set wording = null, proof = '{}' where n.contact_id = any(erased_ids);
  get diagnostics consent_count = row_count;
  delete from tracker_ids t where t.ref_id = any(subject_ids)
    or t.ref_id = any(array(select c.id from lead_conversions c where c.subject_id = any(subject_ids)));
  -- What a tracker knows of a click is theirs; that there was one, and what it brought, is the store's.
  update lead_conversions c set click = concat('erased:', c.id), sub_id = null, click_id = null where c.subject_id = any(subject_ids);
  delete from subject_keys k where k.subject_id = any(subject_ids);
  update subjects s set email = null, email_at = null, phone = null, phone_at = null, details = empty_details -> s.kind, items = '[]',
    restore_url = null, bought = null, state = case when s.state = 'open' then 'gone' else s.state end
  where s.id = any(subject_ids);
  update messages m set payload = null, response = null where m.contact_id = any(erased_ids) or m.enrollment_id = any(enrollment_ids);
  get diagnostics message_count = row_count;
  update calls l set transcript = null, keywords = '[]'
  from messages m
  where l.message_id = m.id and (m.contact_id = any(erased_ids) or m.enrollment_id = any(enrollment_ids));
  update enrollments e set stop_note = null where e.id = any(enrollment_ids);
  -- What a provider said about a message may name its address.
  update enrollment_events v set data = v.data - 'detail' where v.enrollment_id = any(enrollment_ids) and v.data ? 'detail';
  update message_events v set data = v.data - 'detail' where v.enrollment_id = any(enrollment_ids) and v.data ? 'detail';
  update privacy_requests p set done_at = clock_timestamp() where p.contact_id = any(erased_ids) and p.topic = 'redact' and p.done_at is null;
  return jsonb_build_object('contacts', cardinality(erased_ids), 'subjects', cardinality(subject_ids), 'enrollments', cardinality(enrollment_ids),
    'messages', message_count, 'consents', consent_count);
end $$;
