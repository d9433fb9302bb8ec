CREATE INDEX IF NOT EXISTS "enrollment_events_of_recovery" ON "enrollment_events" USING btree ("tenant_id","id") WHERE type in ('abandoned', 'recovered', 'message.sent');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_of_sequence" ON "enrollments" USING btree ("tenant_id","sequence_id","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_of_sequence_apart" ON "enrollments" USING btree ("tenant_id","sequence_id","status","id") WHERE status <> 'ACTIVE';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_recovering" ON "enrollments" USING btree ("tenant_id","id") WHERE ended_at is null and activated_at is not null and (subject_kind is null or subject_kind = 'cart');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_recovered" ON "enrollments" USING btree ("tenant_id","id") WHERE ended_at is not null and activated_at is not null and (subject_kind is null or subject_kind = 'cart');--> statement-breakpoint
-- contract: no build names this index; "enrollments_of_sequence" begins with its columns
DROP INDEX "enrollments_sequence";
