CREATE INDEX IF NOT EXISTS "consents_created" ON "consents" USING btree ("tenant_id","created_at");--> statement-breakpoint
-- contract: no build has ever deleted tokens, which are replaced and stay with their connection
revoke delete on connection_tokens from rekindle_app;
