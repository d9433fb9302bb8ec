-- What is on record about the person with these contacts beyond what their shop says: their orders by currency ('' where the value is not known), what became
-- of the messages to them by channel, and the version of the settings that are in force.
create function read_customer(contact_ids uuid[]) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return jsonb_build_object(
    'orders', coalesce((
      select jsonb_agg(jsonb_build_object('currency', t.currency, 'orders', t.orders, 'net_minor', t.net_minor))
      from (select f.currency, sum(f.orders + f.unknown_orders)::int as orders, sum(f.net_minor)::bigint as net_minor
        from conversions o cross join lateral figures_of_order(o) f where o.contact_id = any(contact_ids) group by 1) t), '[]'),
    'engagement', coalesce((
      select jsonb_agg(jsonb_build_object('channel', t.channel, 'sent', t.sent, 'opened', t.opened, 'clicked', t.clicked) order by t.channel)
      from (select m.channel, count(*)::int as sent, count(m.opened_at)::int as opened, count(m.clicked_at)::int as clicked
        from messages m where m.contact_id = any(contact_ids) and m.state = 'sent' and m.channel is not null group by 1) t), '[]'),
    'settings_version', coalesce((select max(v.version) from settings_versions v), 0));
end $$;
