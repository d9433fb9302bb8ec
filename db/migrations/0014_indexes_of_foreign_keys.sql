-- Each foreign key has an index that begins with its columns: without one, deleting a row reads the whole table that refers to it.
-- `tests/db/grants.test.ts` asks the catalog for those that are missing. On tables that have grown, build them by hand first
-- (docs/migrations.md, "Locks").
CREATE INDEX IF NOT EXISTS "conversions_subject" ON "conversions" USING btree ("tenant_id","subject_id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_sequence" ON "enrollments" USING btree ("tenant_id","sequence_id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "enrollments_version" ON "enrollments" USING btree ("tenant_id","version_id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "privacy_requests_contact" ON "privacy_requests" USING btree ("tenant_id","contact_id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "quarantine_inbox" ON "quarantine" USING btree ("tenant_id","inbox_id");
