-- contract: no build names this index; the function that searches by it is replaced in the next migration
DROP INDEX "outbox_due";--> statement-breakpoint
CREATE INDEX "outbox_due_of_store" ON "outbox" USING btree ("tenant_id","next_attempt_at","seq");