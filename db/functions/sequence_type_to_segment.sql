create function sequence_type_to_segment() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.segment := new.sequence_type;
  return new;
end $$;
