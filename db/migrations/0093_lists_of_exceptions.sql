CREATE INDEX IF NOT EXISTS "audit_log_actor" ON "audit_log" USING btree ("tenant_id","actor","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "audit_log_action" ON "audit_log" USING btree ("tenant_id","action" text_pattern_ops,"id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "audit_log_subject" ON "audit_log" USING btree ("tenant_id","subject","id") WHERE subject is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "audit_log_request" ON "audit_log" USING btree ("tenant_id","request_id") WHERE request_id is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "calls_apart" ON "calls" USING btree ("tenant_id","message_id") WHERE outcome in ('not_reached', 'failed');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "compositions_apart" ON "compositions" USING btree ("tenant_id","id") WHERE state <> 'ready';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "compositions_decided" ON "compositions" USING btree ("tenant_id","approval","id") WHERE approval in ('approved', 'rejected');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "decisions_apart" ON "decisions" USING btree ("tenant_id","verdict","id") WHERE verdict <> 'send';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "decisions_why" ON "decisions" USING btree ("tenant_id","reason","id") WHERE reason <> 'email';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_apart" ON "enrollments" USING btree ("tenant_id","status","id") WHERE status <> 'ACTIVE';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "erasures_apart" ON "erasures" USING btree ("tenant_id","state","id") WHERE state <> 'done';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "facts_lasting" ON "facts" USING btree ("tenant_id","expires_at");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "lead_conversions_outcome" ON "lead_conversions" USING btree ("tenant_id","outcome","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "messages_apart" ON "messages" USING btree ("tenant_id","state","id") WHERE state in ('failed', 'skipped');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "messages_channel" ON "messages" USING btree ("tenant_id","channel","id") WHERE channel <> 'email';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "notifications_apart" ON "notifications" USING btree ("tenant_id","state","id") WHERE state in ('unknown', 'dropped');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "offers_apart" ON "offers" USING btree ("tenant_id","state","id") WHERE state <> 'minted';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "quarantine_dismissed" ON "quarantine" USING btree ("tenant_id","id") WHERE dismissed_at is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "risk_assessments_apart" ON "risk_assessments" USING btree ("tenant_id","band","id") WHERE band <> 'none';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "subjects_apart" ON "subjects" USING btree ("tenant_id","state","id") WHERE state <> 'open';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_of_owner" ON "tasks" USING btree ("tenant_id","owner","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_kind" ON "tasks" USING btree ("tenant_id","kind","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_dismissed" ON "tasks" USING btree ("tenant_id","id") WHERE state = 'dismissed';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "webhook_deliveries_apart" ON "webhook_deliveries" USING btree ("tenant_id","endpoint_id","state","id") WHERE state in ('held', 'failed');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "message_events_failed" ON "message_events" USING btree ("tenant_id","message_id") WHERE type = 'failed';
