-- Trigger: note whose credits a change may alter. It computes none: a writer must not wait for a sum, nor see what another one is about to commit. SECURITY
-- DEFINER: the application may not write figures. Source: docs/adr/0091-attribution-is-kept.md
create function mark_for_attribution() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  case tg_table_name
    when 'conversions' then
      insert into public.attribution_marks (tenant_id, conversion_id) values (new.tenant_id, new.id);
    when 'messages' then
      -- Nearly always the person has ordered nothing: then there is no credit to be changed. An order that comes meanwhile is folded after this transaction.
      if exists (select from public.contacts c join public.contacts k on k.tenant_id = c.tenant_id and k.person_id = c.person_id
          join public.conversions o on o.tenant_id = k.tenant_id and o.contact_id = k.id
        where c.tenant_id = new.tenant_id and c.id = new.contact_id) then
        insert into public.attribution_marks (tenant_id, contact_id) values (new.tenant_id, new.contact_id);
      end if;
    when 'contacts' then
      insert into public.attribution_marks (tenant_id, contact_id) values (new.tenant_id, new.id), (old.tenant_id, old.person_id);
    when 'enrollments' then
      insert into public.attribution_marks (tenant_id, contact_id) values (new.tenant_id, new.contact_id);
    when 'subjects' then
      insert into public.attribution_marks (tenant_id, contact_id)
      select distinct e.tenant_id, e.contact_id from public.enrollments e where e.tenant_id = new.tenant_id and e.subject_id = new.id;
    when 'tenants' then
      insert into public.attribution_marks (tenant_id) values (new.id);
  end case;
  return null;
end $$;
