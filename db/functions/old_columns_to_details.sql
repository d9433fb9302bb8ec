create function old_columns_to_details() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.details := public.cart_details(new.items, new.restore_url, new.origin, new.bought);
  new.details_version := 1;
  return new;
end $$;
