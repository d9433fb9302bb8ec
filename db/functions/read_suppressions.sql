-- The suppressions of these addresses that are in force.
create function read_suppressions(address_hashes text[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return coalesce((
    select jsonb_agg(jsonb_build_object('id', s.id, 'address_hash', s.address_hash, 'channel', s.channel, 'reason', s.reason, 'basis', s.basis,
      'since', s.since) order by s.id)
    from suppressions s where s.address_hash = any(address_hashes) and s.lifted_at is null), '[]');
end $$;
