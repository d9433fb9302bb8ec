-- Add the credits of some orders to the sums, or take them out (`sign` -1). Called by `fold_attribution` alone, which holds its lock.
create function add_attribution(tenant uuid, orders uuid[], sign int) returns void language sql
begin atomic
  insert into attribution_sums as s
    (tenant_id, model, day, sequence_id, step_id, channel, variant, campaign, source, currency, order_micros, gross_minor, refunded_minor, net_minor)
  select c.tenant_id, c.model, c.day, c.sequence_id, c.step_id, c.channel, c.variant, c.campaign, c.source, c.currency,
    sign * sum(c.order_micros), sign * sum(c.gross_minor), sign * sum(c.refunded_minor), sign * sum(c.net_minor)
  from attribution_credits c join tenants t on t.id = c.tenant_id
  where c.tenant_id = tenant and c.conversion_id = any(orders)
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
  on conflict (tenant_id, model, day, sequence_id, step_id, channel, variant, campaign, source, currency) do update set
    order_micros = s.order_micros + excluded.order_micros, gross_minor = s.gross_minor + excluded.gross_minor,
    refunded_minor = s.refunded_minor + excluded.refunded_minor, net_minor = s.net_minor + excluded.net_minor;
end;
