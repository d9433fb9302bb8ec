-- Store a key of the installation's, sealed. `was`: the text that it replaces; null: there is none yet. @returns whether it was stored: somebody else may
-- have been first, and a key is never replaced by another one unseen. SECURITY DEFINER: it belongs to no tenant.
create function put_installation_key(key_name text, new_sealed text, was text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, public as $$
begin
  if was is null then
    insert into public.installation_keys (name, sealed) values (key_name, new_sealed) on conflict (name) do nothing;
  else
    update public.installation_keys k set sealed = new_sealed where k.name = key_name and k.sealed = was;
  end if;
  return found;
end $$;
