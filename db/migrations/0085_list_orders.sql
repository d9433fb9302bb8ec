CREATE INDEX "contacts_last_name" ON "contacts" USING btree ("tenant_id","last_name","id");--> statement-breakpoint
CREATE INDEX "enrollments_ended" ON "enrollments" USING btree ("tenant_id","ended_at","id");--> statement-breakpoint
CREATE INDEX "offers_ends" ON "offers" USING btree ("tenant_id","ends_at","id");--> statement-breakpoint
CREATE INDEX "risk_assessments_score" ON "risk_assessments" USING btree ("tenant_id","score","id");--> statement-breakpoint
CREATE INDEX "subjects_activity" ON "subjects" USING btree ("tenant_id","kind","last_activity_at","id");--> statement-breakpoint
CREATE INDEX "tasks_due" ON "tasks" USING btree ("tenant_id","due_at","id");