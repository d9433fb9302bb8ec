-- Trigger: a sign of life of a person makes the latest suspected click or open of theirs count. See docs/adr/0015-clicks-that-may-be-a-scanners.md.
--
-- Every sign of life is written to the row of the contact that stands for the person (`last_seen_at`, `last_reply_at`, `last_order_at`), by a dozen
-- writers of two builds; a trigger there misses none. It takes the message's lock after the person's, as the dispatch does.
--
-- One sign proves one email: the latest suspected one. Within half an hour for activity, a day for a reply or an order; under a time scale
-- people are as much faster.
create function count_suspected_clicks() returns trigger language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  doubted record;
begin
  select m.id, m.enrollment_id, m.step_id, d.kind, s.sign into doubted
  from (values
      ('cart', case when new.last_seen_at > coalesce(old.last_seen_at, '-infinity') then new.last_seen_at end, 1800),
      ('reply', case when new.last_reply_at > coalesce(old.last_reply_at, '-infinity') then new.last_reply_at end, 86400),
      ('order', case when new.last_order_at > coalesce(old.last_order_at, '-infinity') then new.last_order_at end, 86400)
    ) as s(sign, at, within_seconds)
    join public.contacts c on c.tenant_id = new.tenant_id and c.person_id = new.person_id
    join public.messages m on m.tenant_id = c.tenant_id and m.contact_id = c.id
    join public.enrollments e on e.tenant_id = m.tenant_id and e.id = m.enrollment_id
    cross join lateral (values ('clicked', m.suspected_click_at, m.clicked_at), ('opened', m.suspected_open_at, m.opened_at))
      as d(kind, suspected_at, counted_at)
  where d.counted_at is null
    -- Shops write whole seconds, and their clocks differ from ours.
    and s.at between d.suspected_at - interval '2 seconds' and d.suspected_at + make_interval(secs => s.within_seconds / e.time_scale)
  -- The link leads to the shop, so a click is the likelier cause.
  order by d.kind, d.suspected_at desc
  limit 1
  for no key update of m;
  if doubted.id is not null then
    update public.messages m
    set clicked_at = case when doubted.kind = 'clicked' then m.suspected_click_at else m.clicked_at end,
      opened_at = coalesce(m.opened_at, case when doubted.kind = 'clicked' then m.suspected_click_at else m.suspected_open_at end),
      -- Followed by a person, so it was accepted.
      state = 'sent', settled_at = coalesce(m.settled_at, clock_timestamp())
    where m.tenant_id = new.tenant_id and m.id = doubted.id;
    -- Ids are UUIDv7 as the application makes them: the live page finds what is new by them.
    insert into public.enrollment_events (tenant_id, id, enrollment_id, type, data)
    values (new.tenant_id, (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid, doubted.enrollment_id, 'message.' || doubted.kind,
      jsonb_build_object('step', doubted.step_id, 'shown_by', doubted.sign));
  end if;
  return null;
end $$;
