-- Trigger: the reports of an order are of the campaign of the enrollment that it is credited to. An order's id is the click of its reports and a currency.
create function note_credited_reports() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  update public.lead_conversions r set campaign_id = public.campaign_of_report(r)
  where r.tenant_id = new.tenant_id and r.connection_id = new.connection_id and r.click = regexp_replace(new.order_id, ' [^ ]*$', '')
    and r.campaign_id is distinct from public.campaign_of_report(r);
  return null;
end $$;
