create function cart_value_to_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.value_minor := new.cart_value_minor;
  return new;
end $$;
