create function value_to_total() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.total_minor := new.value_minor;
  return new;
end $$;
