CREATE INDEX IF NOT EXISTS "messages_provider" ON "messages" USING btree ("tenant_id","account","provider_message_id") WHERE provider_message_id is not null;
--> statement-breakpoint
-- Intake writes the general columns of a subject.
grant update (details, details_version, value_minor) on subjects to rekindle_app;
