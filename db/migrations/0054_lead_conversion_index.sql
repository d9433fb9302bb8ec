-- Each foreign key has an index that begins with its columns (migration 0014).
CREATE INDEX IF NOT EXISTS "lead_conversions_message" ON "lead_conversions" USING btree ("tenant_id","message_id");
