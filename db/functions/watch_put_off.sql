-- Trigger: until when an enrollment has a step that is put off, the latest of them.
create function watch_put_off() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
  new.put_off_until := case when new.not_before <> '{}' then (select max(to_timestamp(k.value::float8 / 1000)) from jsonb_each_text(new.not_before) k) end;
  return new;
end $$;
