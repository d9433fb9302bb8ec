-- Provider events about messages, partitioned by month; written by hand because drizzle-kit does not know partitions.
-- Nothing is granted on the partitions: a policy on the parent does not protect direct reads of a partition.
create table message_events (
  tenant_id uuid not null,
  id uuid not null,
  occurred_at timestamptz(3) not null,
  message_id uuid not null,
  enrollment_id uuid not null,
  type text not null,
  -- a mail client's prefetch or a scanner, not a person
  machine boolean not null default false,
  received_at timestamptz(3) not null default clock_timestamp(),
  data jsonb not null default '{}',
  primary key (tenant_id, id, occurred_at),
  foreign key (tenant_id, message_id) references messages (tenant_id, id)
) partition by range (occurred_at);
--> statement-breakpoint
create index message_events_story on message_events (tenant_id, enrollment_id, occurred_at);
--> statement-breakpoint
create index message_events_message on message_events (tenant_id, message_id);
--> statement-breakpoint
create table message_events_default partition of message_events default;
--> statement-breakpoint
alter table message_events enable row level security;
--> statement-breakpoint
create policy tenant_rows on message_events for all to rekindle_app
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint

-- Partitions are made ahead: this month and the next two. Safe to call at any time, by any process.
create function make_message_event_partitions() returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  month date; made int := 0; partition_name text;
begin
  perform pg_advisory_xact_lock(hashtext('rekindle.message_event_partitions'));
  for i in 0..2 loop
    month := (date_trunc('month', clock_timestamp() at time zone 'UTC') + make_interval(months => i))::date;
    partition_name := 'message_events_' || to_char(month, 'YYYY_MM');
    if to_regclass('public.' || partition_name) is null then
      begin
        execute format('create table public.%I partition of public.message_events for values from (%L) to (%L)',
          partition_name, month::text || ' 00:00+00', (month + interval '1 month')::date::text || ' 00:00+00');
        made := made + 1;
      exception when check_violation then
        -- Rows of that month already lie in the default partition: they stay there, nothing is lost.
        null;
      end;
    end if;
  end loop;
  return made;
end $$;
--> statement-breakpoint
select make_message_event_partitions();
--> statement-breakpoint

-- What must happen before a tenant is known. Nothing else crosses tenants.

-- The connection of a webhook URL. Without an id: only where the installation has exactly one connected account of that integration.
create function resolve_connection(wanted_integration text, wanted_id uuid)
returns table (tenant_id uuid, id uuid, secrets jsonb, state text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select c.tenant_id, c.id, c.secrets, c.state from public.connections c
  where c.integration = wanted_integration
    and case when wanted_id is not null then c.id = wanted_id
        else (select count(*) from public.connections o where o.integration = wanted_integration and o.state = 'connected') = 1 and c.state = 'connected' end
$$;
--> statement-breakpoint
create function resolve_api_key(wanted_hash text)
returns table (tenant_id uuid, id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.id from public.api_keys k where k.hash = wanted_hash and k.revoked_at is null
$$;
--> statement-breakpoint
create function list_tenants()
returns table (id uuid, slug text, name text, time_scale double precision, synthetic boolean)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.slug, t.name, t.time_scale, t.synthetic from public.tenants t order by t.id
$$;
--> statement-breakpoint

-- Take up to `max_rows` heads: the first waiting row of each enrollment, never a later one (`start` before `stop`).
-- A row that its relay did not finish within `claim_ms` is taken again: every effect on Temporal is idempotent.
create function claim_outbox(max_rows int, claim_ms int)
returns table (tenant_id uuid, seq bigint, enrollment_id uuid, kind text, attempts int, created_at timestamptz)
language sql volatile security definer set search_path = pg_catalog, public as $$
  with heads as (
    select o.tenant_id, o.seq from public.outbox o
    where o.next_attempt_at <= clock_timestamp()
      and (o.claimed_until is null or o.claimed_until <= clock_timestamp())
      and not exists (
        select 1 from public.outbox e where e.tenant_id = o.tenant_id and e.enrollment_id = o.enrollment_id and e.seq < o.seq)
    order by o.next_attempt_at, o.seq
    limit max_rows
    for update skip locked
  )
  update public.outbox o
  set claimed_until = clock_timestamp() + make_interval(secs => claim_ms / 1000.0), attempts = o.attempts + 1
  from heads h where o.tenant_id = h.tenant_id and o.seq = h.seq
  returning o.tenant_id, o.seq, o.enrollment_id, o.kind, o.attempts, o.created_at
$$;
--> statement-breakpoint

-- Which tenants the background loops should look at, so that ten thousand idle tenants cost nothing.
create function tenants_with_work(kind text)
returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select distinct m.tenant_id from public.messages m
    where kind = 'dead_leases' and m.live and m.claimed_at + make_interval(secs => m.dead_lease_ms / 1000.0) <= clock_timestamp()
  union
  select distinct m.tenant_id from public.messages m
    where kind = 'in_doubt' and m.state = 'unknown' and m.find_from is not null and m.find_from <= clock_timestamp()
  union
  select distinct i.tenant_id from public.inbox i where kind = 'pending_inbox' and i.state = 'pending'
$$;
--> statement-breakpoint

-- Two figures for /healthz and /metrics that span tenants and name none.
create function outbox_backlog()
returns table (waiting bigint, oldest_ms double precision)
language sql stable security definer set search_path = pg_catalog, public as $$
  select count(*), coalesce(extract(epoch from clock_timestamp() - min(o.created_at)) * 1000, 0)::double precision from public.outbox o
$$;
--> statement-breakpoint
revoke execute on all functions in schema public from public;
--> statement-breakpoint
grant execute on function make_message_event_partitions(), resolve_connection(text, uuid), resolve_api_key(text), list_tenants(),
  claim_outbox(int, int), tenants_with_work(text), outbox_backlog() to rekindle_app;
--> statement-breakpoint
-- By name, not by default privileges: a partition or a later table gets nothing by accident.
grant select, insert, update, delete on tenants, api_keys, connections, contacts, contact_identities, suppressions, privacy_requests,
  subjects, subject_keys, conversions, sequences, sequence_versions, enrollments, messages, message_events, inbox, quarantine, outbox
  to rekindle_app;
--> statement-breakpoint
grant select, insert on consents, decisions, enrollment_events, audit_log to rekindle_app;
