create function segment_to_sequence_type() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.sequence_type := public.sequence_type_of(new.segment);
  return new;
end $$;
