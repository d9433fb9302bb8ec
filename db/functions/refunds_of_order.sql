-- Of an order's refunds in one currency: their sum, and how much of it the current total of `total_at` does not contain. A refund without a
-- currency is in the order's. A refund of the total's own instant is contained in it.
-- Source: docs/adr/0016-what-an-order-counts-for.md
create function refunds_of_order(tenant uuid, connection uuid, order_name text, in_currency text, total_at timestamptz,
  out refunded bigint, out besides bigint) language sql stable
begin atomic
  select coalesce(sum(r.amount_minor), 0),
    coalesce(sum(case when r.refunded_at <= total_at then r.besides_total_minor else r.amount_minor end), 0)
  from refunds r
  where r.tenant_id = tenant and r.connection_id = connection and r.order_id = order_name and coalesce(r.currency, in_currency) = in_currency;
end;
