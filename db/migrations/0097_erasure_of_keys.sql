-- Empty the texts of this tenant in which something of an erased person was found although they belong to nobody in particular: notes, errors, values
-- before and after a change, requests, and the keys and ids that callers give their requests. `wanted`: the columns, `table.column`; others than those below are left alone. `needles`: patterns of LIKE, `patterns`: regular expressions, both for texts in lower case.
-- @returns rows by table. SECURITY DEFINER: the application may not change the audit log, and no more than this.
create or replace function shred_texts(wanted text[], needles text[], patterns text[]) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  own uuid := nullif(current_setting('app.tenant', true), '')::uuid;
  counts jsonb := '{}'; place record; n int;
begin
  if own is null then return counts; end if;
  for place in
    select * from (values
      ('audit_log', 'data', '''{}''::jsonb'),
      ('audit_log', 'request_id', 'null'),
      ('bulk_actions', 'note', 'null'),
      ('enrollments', 'stop_note', 'null'),
      ('enrollment_events', 'data', '''{}''::jsonb'),
      ('enrollment_actions', 'key', 'null'),
      ('enrollment_actions', 'request', '''erased'''),
      ('enrollment_requests', 'key', 'concat(''erased:'', t.enrollment_id, '':'', gen_random_uuid())'),
      ('enrollment_requests', 'request', '''erased'''),
      ('imports', 'fault', 'null'),
      ('inbox', 'notes', '''[]''::jsonb'),
      ('inbox', 'last_error', 'null'),
      ('keyed_requests', 'key', 'concat(''erased:'', t.run)'),
      ('lookups', 'what', '''{}''::jsonb'),
      ('lookups', 'key', 'concat(''erased:'', t.id)'),
      ('lookups', 'last_error', 'null'),
      ('message_events', 'data', '''{}''::jsonb'),
      ('offers', 'note', 'null'),
      ('outbox', 'last_error', 'null'),
      ('outbox', 'request_id', 'null'),
      ('parked_skips', 'note', '''erased'''),
      ('quarantine', 'reason', '''erased'''),
      ('quarantine', 'dismissal_reason', '''erased'''),
      ('tasks', 'data', '''{}''::jsonb'),
      ('tasks', 'result', 'null'),
      ('tasks', 'key', 'null')
    ) as places(in_table, in_column, empty)
    where in_table || '.' || in_column = any(wanted)
  loop
    execute format(
      'update public.%1$I t set %2$I = %3$s where t.tenant_id = $1 and t.%2$I is not null
         and (lower(t.%2$I::text) like any($2) or lower(t.%2$I::text) ~ any($3))',
      place.in_table, place.in_column, place.empty)
    using own, needles, patterns;
    get diagnostics n = row_count;
    if n > 0 then
      counts := counts || jsonb_build_object(place.in_table, coalesce((counts ->> place.in_table)::int, 0) + n);
    end if;
  end loop;
  return counts;
end $$;
