-- Make the partitions of this month and the next two. Safe to call at any time, by any process. SECURITY DEFINER: the application owns no table.
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
