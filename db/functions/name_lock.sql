-- The advisory lock of a name: the first eight bytes of its SHA-256. Every build that ever ran beside this one must agree on it.
create function name_lock(name text) returns bigint language plpgsql immutable as $$
begin
  return ('x' || left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end $$;
