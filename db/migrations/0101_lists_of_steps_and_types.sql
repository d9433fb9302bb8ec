-- Decisions of a step, enrollments that stopped for a reason, and webhook deliveries of a type are pages of an index (docs/adr/0096-lists-of-exceptions.md). Where a store has
-- a million people, build the first two by hand before, as create index concurrently: they lock writers of decisions and enrollments out.
alter table webhook_deliveries add column type text;--> statement-breakpoint
create index if not exists decisions_step on decisions (tenant_id, step_id, id);--> statement-breakpoint
create index if not exists enrollments_why on enrollments (tenant_id, sequence_id, stop_reason, id) where stop_reason is not null;--> statement-breakpoint
create index if not exists webhook_deliveries_of_type on webhook_deliveries (tenant_id, endpoint_id, type, id);
