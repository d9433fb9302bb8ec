-- Note in the windows of some rates when something leaves. No more is kept than a window holds.
create function note_departure(scopes jsonb, leaves_at timestamptz) returns void
language sql volatile as $$
  update send_rates r set left_at = (
    select array_agg(l.at order by l.at desc) from (select at from unnest(r.left_at || leaves_at) as u(at) order by at desc limit s.most) as l
  )
  from jsonb_to_recordset(scopes) as s(scope text, most int)
  where r.tenant_id = current_setting('app.tenant')::uuid and r.scope = s.scope and s.most is not null
$$;
