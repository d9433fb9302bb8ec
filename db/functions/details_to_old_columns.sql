create function details_to_old_columns() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.items := coalesce(new.details -> 'items', '[]');
  new.restore_url := new.details ->> 'restoreUrl';
  new.origin := new.details ->> 'origin';
  new.bought := nullif(new.details -> 'bought', 'null');
  return new;
end $$;
