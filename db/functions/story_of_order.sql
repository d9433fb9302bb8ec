-- The figures of an order for its story. Keys without a value are left out.
create function story_of_order(o conversions) returns jsonb language sql stable
begin atomic
  select jsonb_strip_nulls(jsonb_build_object('value_minor', o.value_minor, 'currency', coalesce(o.currency, o.current_currency),
    'no_revenue', o.no_revenue, 'cancelled', case when o.reversed_at is not null then true end,
    'refunded_minor', nullif(o.refunded_minor, 0),
    'net_minor', (select f.net_minor from figures_of_order(o) f where f.unknown_orders = 0 and f.net_minor is distinct from o.value_minor)));
end;
