ALTER TABLE "api_keys" ADD COLUMN "prefix" text;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "role" text DEFAULT 'owner' NOT NULL;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "last_used_at" timestamp (3) with time zone;--> statement-breakpoint
-- contract: no build before this one writes the column, and its default is among them
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_role" CHECK (role in ('viewer', 'agent', 'editor', 'admin', 'owner'));
--> statement-breakpoint
-- The tenant of an API key, what it may, and when it was used last. SECURITY DEFINER: the tenant is not known yet.
create function resolve_api_key_2(wanted_hash text)
returns table (tenant_id uuid, id uuid, role text, last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.id, k.role, k.last_used_at from public.api_keys k
  where k.hash = wanted_hash and k.revoked_at is null and coalesce(k.expires_at > clock_timestamp(), true)
$$;
--> statement-breakpoint
revoke execute on function resolve_api_key_2(text) from public;
--> statement-breakpoint
grant execute on function resolve_api_key_2(text) to rekindle_app;
--> statement-breakpoint
grant update (expires_at, last_used_at) on api_keys to rekindle_app;
