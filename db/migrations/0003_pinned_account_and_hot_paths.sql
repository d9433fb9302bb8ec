DROP INDEX "enrollments_open_by_contact";--> statement-breakpoint
DROP INDEX "enrollments_open";--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "account" text;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "refused_for_good" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "enrollments_contact" ON "enrollments" USING btree ("tenant_id","contact_id");--> statement-breakpoint
CREATE INDEX "enrollments_open" ON "enrollments" USING btree ("tenant_id","id") WHERE ended_at is null;