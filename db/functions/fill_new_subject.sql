create function fill_new_subject() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if new.details is not null then
    new.total_minor := new.value_minor;
    if new.kind = 'cart' then
      new.items := coalesce(new.details -> 'items', '[]');
      new.restore_url := new.details ->> 'restoreUrl';
      new.origin := new.details ->> 'origin';
      new.bought := nullif(new.details -> 'bought', 'null');
    end if;
  elsif new.kind = 'cart' then
    new.value_minor := new.total_minor;
    new.details := public.cart_details(new.items, new.restore_url, new.origin, new.bought);
    new.details_version := 1;
  end if;
  return new;
end $$;
