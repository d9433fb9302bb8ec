-- What one order counts for: nothing (no row) where it is no revenue. Gross: as ordered. Net: what the shop keeps, which is the current
-- total less what that does not contain of the refunds; without a current total, gross less all refunds; nothing once cancelled; never
-- below zero. A current total in another currency than the order's is no figure of it. An amount without a currency is unknown, and an
-- order of unknown value is counted as such, never as 0.
create function figures_of_order(o conversions)
returns table (currency text, orders int, cancelled_orders int, unknown_orders int, gross_minor bigint, refunded_minor bigint, net_minor bigint)
language sql immutable
begin atomic
  select case when m.gross is null then '' else m.currency end,
    (m.gross is not null and o.reversed_at is null)::int, (o.reversed_at is not null)::int, (m.gross is null and o.reversed_at is null)::int,
    coalesce(m.gross, 0), case when m.gross is null then 0 else o.refunded_minor end,
    case when m.gross is null or o.reversed_at is not null then 0
      else greatest(0, coalesce(m.total - o.refunded_besides_minor, m.gross - o.refunded_minor)) end
  from (select k.currency, k.total,
      case when k.currency is not null
        then coalesce(case when o.currency is not null then o.value_minor end, k.total + o.refunded_minor - o.refunded_besides_minor) end as gross
    from (select coalesce(o.currency, o.current_currency) as currency,
        case when coalesce(o.currency, o.current_currency) is not distinct from coalesce(o.current_currency, o.currency)
          then o.current_minor end as total) k) m
  where o.no_revenue is null and o.id is not null;
end;
