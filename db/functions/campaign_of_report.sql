-- The campaign of a tracker's report: that of the attempt whose link was followed, else that of the enrollment that its revenue is credited to; null: it has none.
create function campaign_of_report(r lead_conversions) returns uuid language sql stable set search_path = pg_catalog, public set enable_seqscan = off as $$
  select e.campaign_id from public.enrollments e
  where e.tenant_id = r.tenant_id and e.id = coalesce(
    (select m.enrollment_id from public.messages m where m.tenant_id = r.tenant_id and m.id = r.message_id),
    (select c.enrollment_id from public.conversions c where c.tenant_id = r.tenant_id and c.connection_id = r.connection_id
      and c.order_id = r.click || ' ' || case when r.payout_minor is null then '?' else coalesce(r.currency, '') end))
$$;
