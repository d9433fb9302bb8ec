-- Everything that the gates of a step ask, under the locks of `lock_step`: the tenant, the subject, and all that is known of the person; identities
-- in the order in which they are tried as addresses: the contact's own first, then the newest. Null: no such enrollment.
create function read_step_2(wanted_enrollment uuid) returns json
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  own uuid; subject uuid; contact_ids uuid[]; own_sequence uuid; own_version uuid; own_campaign uuid;
begin
  select e.contact_id, e.subject_id, e.sequence_id, e.version_id, e.campaign_id into own, subject, own_sequence, own_version, own_campaign
  from enrollments e where e.id = wanted_enrollment;
  if not found then return null; end if;
  contact_ids := array(
    select c.id from (select o.person_id from contacts o where o.id = own offset 0) p
      cross join lateral (select h.id from contacts h where h.person_id = p.person_id offset 0) c
    order by c.id);
  return json_build_object(
    'tenant', (select to_json(t) from tenants t where t.id = current_setting('app.tenant')::uuid),
    'subject', (select to_json(s) from subjects s where s.id = subject),
    'sequence', (select json_build_object('paused', q.paused) from sequences q where q.id = own_sequence),
    -- What it began in; null: in no campaign.
    'campaign', (select json_build_object('id', k.id, 'status', k.status, 'schedule', k.schedule, 'rate', k.rate, 'call', k.call)
      from campaigns k where k.id = own_campaign),
    -- Those that the step may use without naming one: the campaign's own and the defaults of channels.
    'scripts', coalesce((
      select json_agg(json_build_object('id', t.id, 'name', t.name, 'channel', t.channel, 'about', t.about, 'campaignId', t.campaign_id,
        'isDefault', t.is_default, 'content', t.content, 'call', t.call))
      from (
        select * from scripts d where d.removed_at is null and d.is_default
        union all
        select * from scripts o where o.removed_at is null and o.campaign_id = own_campaign) t), '[]'),
    -- The tests of its campaign's scripts, or winners of theirs, the latest of each channel, with the arm that the person has.
    'tests', case when own_campaign is null then '[]' else coalesce((
      select json_agg(json_build_object('id', x.id, 'channel', x.channel, 'shares', x.shares, 'winner', x.winner, 'takeover', x.takeover,
        'resolvedAt', x.resolved_at, 'has', (
          select a.variant from experiment_assignments a where a.experiment_id = x.id and a.contact_id = any(contact_ids)
          order by a.assigned_at, a.id limit 1),
        'scripts', coalesce((
          select json_object_agg(r.key, json_build_object('id', t.id, 'name', t.name, 'channel', t.channel, 'about', t.about, 'campaignId', own_campaign,
            'isDefault', false, 'content', t.content, 'call', t.call))
          from jsonb_each_text(x.scripts) r cross join lateral (select * from scripts w where w.id = r.value::uuid and w.removed_at is null) t), '{}')))
      from (
        select distinct on (e.channel) e.* from experiments e
        where e.campaign_id = own_campaign and (e.status = 'RUNNING' or e.takeover in ('suggested', 'applied'))
        order by e.channel, e.started_at desc, e.id desc) x), '[]') end,
    -- What becomes of those that run on its version; null: they stay.
    'move', (select json_build_object('to', m.to_version_id, 'reason', m.reason) from version_moves m where m.version_id = own_version),
    'contacts', (select json_agg(to_json(c) order by c.id) from contacts c where c.id = any(contact_ids)),
    'identities', coalesce((
      select json_agg(to_json(i) order by (i.contact_id = own) desc, i.created_at desc, i.id desc)
      from contact_identities i where i.contact_id = any(contact_ids)), '[]'),
    -- The latest of each statement on a channel: a shop may repeat one with every event.
    'consents', coalesce((
      select json_agg(json_build_object('channel', said.channel, 'state', said.state, 'basis', said.basis, 'at', said.latest_at))
      from (
        select n.channel, n.state, consent_basis(n.basis, n.source) as basis, max(n.occurred_at) as latest_at
        from consents n where n.contact_id = any(contact_ids) group by 1, 2, 3) said), '[]'),
    -- What went out to the person in other enrollments: the latest of each channel, and all of the last 31 days, which is as far as caps reach back
    -- (`domain/settings-change.ts`). At most 200 of each contact.
    'sends', coalesce((
      select json_agg(json_build_object('channel', sent.channel, 'at', sent.at, 'step', sent.slug || '/' || sent.step_id) order by sent.at desc)
      from (
        select m.channel, m.step_id, m.at, q.slug, row_number() over (partition by m.channel order by m.at desc) as nth
        from (
            select id, 'infinity'::timestamptz as until from unnest(contact_ids) as own(id)
            union all
            -- Contacts of whom a merge was undone: what went out to them before counts for both.
            select a.other::uuid, max(g.undone_at) from contacts c
              cross join lateral jsonb_each_text(c.apart) as a(other, merge)
              cross join lateral (select o.undone_at from contact_merges o where o.id = a.merge::uuid offset 0) g
            where c.id = any(contact_ids) and c.apart <> '{}' and a.other::uuid <> all(contact_ids) group by 1) c
          cross join lateral (
            select h.channel, h.step_id, h.enrollment_id, coalesce(h.settled_at, h.claimed_at, h.created_at) as at from messages h
            where h.contact_id = c.id and h.enrollment_id <> wanted_enrollment and h.state in ('sent', 'unknown', 'claimed')
              and coalesce(h.settled_at, h.claimed_at, h.created_at) <= c.until
            order by h.settled_at desc limit 200) m
          cross join lateral (select o.sequence_id from enrollments o where o.id = m.enrollment_id offset 0) e
          cross join lateral (select s.slug from sequences s where s.id = e.sequence_id offset 0) q) sent
      where sent.nth = 1 or sent.at > clock_timestamp() - interval '31 days'), '[]'),
    -- The person's other enrollments that run, with their ledgers: their next steps stand in line for the same caps.
    'others', coalesce((
      select json_agg(json_build_object('enrollment', to_json(e), 'ledger', coalesce((
        select json_agg(to_jsonb(m) - 'payload' order by m.id) from messages m where m.enrollment_id = e.id), '[]')) order by e.id)
      from (
        select r.* from unnest(contact_ids) as c(id)
          cross join lateral (
            select h.* from enrollments h
            where h.contact_id = c.id and h.ended_at is null and h.held is null and h.id <> wanted_enrollment
              -- Nothing of a paused sequence or campaign is sent, and nothing to those who are to exit.
              and (h.campaign_id is null or exists (select 1 from campaigns k where k.id = h.campaign_id and k.status = 'ACTIVE'))
              and not exists (select 1 from sequences q where q.id = h.sequence_id and q.paused)
              and not exists (select 1 from version_moves v where v.version_id = h.version_id and v.to_version_id is null) offset 0) r
        order by r.anchor_at desc limit 50) e), '[]'));
end $$;
