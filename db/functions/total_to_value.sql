create function total_to_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.value_minor := new.total_minor;
  return new;
end $$;
