-- Count the rows of tables that have more than doubled since Postgres last did (and hold at least `at_least`), so that kept plans fit them: a plan made
-- while a table is nearly empty may read all of a tenant's rows to find one, and autovacuum looks only once a minute. Returns how many there were;
-- 0 also while another process is at it. SECURITY DEFINER: the application owns no table.
create function analyze_grown(at_least int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  grown regclass; counted int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.analyze_grown')) then return 0; end if;
  for grown in
    select c.oid from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_stat_get_live_tuples(c.oid) >= at_least
      and pg_stat_get_live_tuples(c.oid) > 2 * c.reltuples
  loop
    execute format('analyze (skip_locked) %s', grown);
    counted := counted + 1;
  end loop;
  return counted;
end $$;
