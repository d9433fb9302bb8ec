-- Compute the credits of marked orders anew and move the difference into the sums; returns how many marks were done, 0 also while another process folds. A mark is
-- done once every transaction that ran when it was first seen has ended: one of them may have looked for orders before this order was committed.
-- SECURITY DEFINER: it spans tenants, and the application may not write sums. Source: docs/adr/0091-attribution-is-kept.md
create function fold_attribution(max_marks int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  done public.attribution_marks[];
  orders record;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.attribution')) then return 0; end if;
  update public.attribution_marks set after = pg_snapshot_xmax(pg_current_snapshot()) where after is null;
  -- All orders of a store are done one by one: they may be many.
  insert into public.attribution_marks (tenant_id, conversion_id, after)
  select m.tenant_id, o.id, m.after from public.attribution_marks m cross join lateral public.marked_for_attribution(m) o(id)
  where num_nonnulls(m.conversion_id, m.contact_id) = 0;
  delete from public.attribution_marks m where num_nonnulls(m.conversion_id, m.contact_id) = 0;
  done := array(select m from public.attribution_marks m where m.after <= pg_snapshot_xmin(pg_current_snapshot()) order by m.tenant_id, m.seq limit max_marks);
  for orders in
    select m.tenant_id, array_agg(distinct o.id) as ids from unnest(done) m cross join lateral public.marked_for_attribution(m) o(id) group by 1
  loop
    perform public.add_attribution(orders.tenant_id, orders.ids, -1);
    delete from public.attribution_credits c where c.tenant_id = orders.tenant_id and c.conversion_id = any(orders.ids);
    insert into public.attribution_credits
      (tenant_id, conversion_id, message_id, model, day, sequence_id, step_id, channel, variant, campaign, source, currency, order_micros, gross_minor, refunded_minor, net_minor)
    select orders.tenant_id, o.id, a.message_id, a.model, a.day, a.sequence_id, a.step_id, a.channel, a.variant, a.campaign, a.source, a.currency,
      a.order_micros, a.gross_minor, a.refunded_minor, a.net_minor
    from unnest(orders.ids) o(id) cross join lateral public.attribution_of(orders.tenant_id, o.id) a;
    perform public.add_attribution(orders.tenant_id, orders.ids, 1);
  end loop;
  delete from public.attribution_marks m using unnest(done) d where m.tenant_id = d.tenant_id and m.seq = d.seq;
  return cardinality(done);
end $$;
