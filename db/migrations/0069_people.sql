CREATE SCHEMA "identity";
--> statement-breakpoint
CREATE TABLE "identity"."accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"provider_id" text NOT NULL,
	"account_id" text NOT NULL,
	"password" text,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp (3) with time zone,
	"refresh_token_expires_at" timestamp (3) with time zone,
	"scope" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_provider" UNIQUE("provider_id","account_id")
);
--> statement-breakpoint
CREATE TABLE "invitations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"email" text NOT NULL,
	"role" text NOT NULL,
	"token_hash" text NOT NULL,
	"invited_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"accepted_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "invitations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "invitations_token" UNIQUE("tenant_id","token_hash"),
	CONSTRAINT "invitations_role" CHECK (role in ('viewer', 'agent', 'editor', 'admin', 'owner'))
);
--> statement-breakpoint
ALTER TABLE "invitations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "members" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"invited_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "members_tenant_id_user_id_pk" PRIMARY KEY("tenant_id","user_id"),
	CONSTRAINT "members_role" CHECK (role in ('viewer', 'agent', 'editor', 'admin', 'owner'))
);
--> statement-breakpoint
ALTER TABLE "members" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."rate_limits" (
	"id" uuid PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"count" integer NOT NULL,
	"last_request" bigint NOT NULL,
	CONSTRAINT "rate_limits_key" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "identity"."sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"token" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sessions_token" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "identity"."sign_in_failures" (
	"email_hash" text PRIMARY KEY NOT NULL,
	"count" integer NOT NULL,
	"since" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "identity"."users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_email" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "identity"."verifications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."accounts" ADD CONSTRAINT "accounts_user_id" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_user_id" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity"."sessions" ADD CONSTRAINT "sessions_user_id" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "accounts_user" ON "identity"."accounts" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "invitations_lookup" ON "invitations" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "members_user" ON "members" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "sessions_user" ON "identity"."sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "verifications_identifier" ON "identity"."verifications" USING btree ("identifier");--> statement-breakpoint
CREATE INDEX "verifications_expires" ON "identity"."verifications" USING btree ("expires_at");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "invitations" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "members" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
grant select, insert, update (role), delete on members to rekindle_app;
--> statement-breakpoint
grant select, insert, update (accepted_at, revoked_at) on invitations to rekindle_app;
--> statement-breakpoint
-- Whether any store waits for somebody with this address. SECURITY DEFINER: it spans tenants.
create function is_invited(wanted_email text)
returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (
    select from public.invitations i
    where i.email = wanted_email and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
  )
$$;
--> statement-breakpoint
-- The store of an invitation that can still be accepted. SECURITY DEFINER: the tenant is not known yet.
create function resolve_invitation(wanted_hash text)
returns table (tenant_id uuid, id uuid, slug text, name text, email text, role text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select i.tenant_id, i.id, t.slug, t.name, i.email, i.role, i.expires_at
  from public.invitations i join public.tenants t on t.id = i.tenant_id
  where i.token_hash = wanted_hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
$$;
--> statement-breakpoint
-- The stores that a person may come into, and as what. SECURITY DEFINER: it spans tenants.
create function stores_of_user(wanted_user uuid)
returns table (tenant_id uuid, slug text, name text, role text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.slug, t.name, m.role from public.members m join public.tenants t on t.id = m.tenant_id
  where m.user_id = wanted_user order by t.slug
$$;
--> statement-breakpoint
revoke execute on function is_invited(text), resolve_invitation(text), stores_of_user(uuid) from public;
--> statement-breakpoint
grant execute on function is_invited(text), resolve_invitation(text), stores_of_user(uuid) to rekindle_app;
--> statement-breakpoint
-- People who sign in have a role of their own, which reads their tables and no store's. Whoever may act as the application may act as it.
do $$ begin
  create role rekindle_identity nologin;
exception when duplicate_object or unique_violation then null;
end $$;
--> statement-breakpoint
do $$
declare
  login name;
begin
  for login in
    select current_user union select m.rolname from pg_auth_members a
      join pg_roles r on r.oid = a.roleid and r.rolname = 'rekindle_app' join pg_roles m on m.oid = a.member
  loop
    begin
      execute format('grant rekindle_identity to %I', login);
    exception when others then null;
    end;
  end loop;
end $$;
--> statement-breakpoint
grant usage on schema identity to rekindle_identity;
--> statement-breakpoint
grant select, insert, update, delete on all tables in schema identity to rekindle_identity;
