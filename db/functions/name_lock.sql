-- The advisory lock of a name: the first eight bytes of its SHA-256. Builds that run at the same time must compute the same number.
create function name_lock(name text) returns bigint language plpgsql immutable as $$
begin
  return ('x' || left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end $$;
