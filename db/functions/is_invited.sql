-- Whether any store waits for somebody with this address. SECURITY DEFINER: it spans tenants.
create function is_invited(wanted_email text)
returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (
    select from public.invitations i
    where i.email = wanted_email and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
  )
$$;
