create function fill_new_enrollment() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  -- The build before begins sequences about carts only.
  new.subject_kind := coalesce(new.subject_kind, 'cart');
  if new.segment is null then
    new.segment := new.sequence_type;
    new.value_minor := new.cart_value_minor;
  else
    new.sequence_type := public.sequence_type_of(new.segment);
    new.cart_value_minor := new.value_minor;
  end if;
  return new;
end $$;
