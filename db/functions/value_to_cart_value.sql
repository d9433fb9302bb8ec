create function value_to_cart_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.cart_value_minor := new.value_minor;
  return new;
end $$;
