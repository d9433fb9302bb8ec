-- Trigger: the campaign of a report, whoever writes it.
create function watch_report() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  new.campaign_id := public.campaign_of_report(new);
  return new;
end $$;
