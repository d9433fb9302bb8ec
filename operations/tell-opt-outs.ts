import { sql } from 'drizzle-orm';
import type { Deps } from './deps.ts';

/** So many of one store in one pass, so that an import of opt-outs keeps no message waiting. */
const perPass = 20;

/**
 * Let the CRMs know what their contacts have said elsewhere: an opt-out by the person or by another record, and its end by the person. Each statement is told
 * once to each connection in which its person is a contact (`lookups`). What a CRM reported itself is no statement, and does not come back to it.
 */
export async function tellOptOuts(deps: Pick<Deps, 'db' | 'integrations'>): Promise<boolean> {
  const crms = Object.values(deps.integrations).flatMap(({ name, tellsOptOuts }) => (tellsOptOuts === true ? [name] : []));
  if (crms.length === 0) return false;
  for (const { id } of await deps.db.listTenants()) {
    await deps.db.withTenant(id, (tx) =>
      tx.execute(sql`
        insert into lookups (tenant_id, id, connection_id, key, topic, what)
        select s.tenant_id, gen_random_uuid(), k.id, 'dnd ' || s.id, 'dnd', jsonb_build_object(
          'contact_id', i.value, 'channel', s.channel, 'state', s.state, 'was', coalesce((
            select d.channel from consents d where d.contact_id = s.contact_id and d.state = 'denied' and d.basis <> 'box' and d.occurred_at <= s.occurred_at
            order by d.channel = 'all' desc limit 1), ''))
        from connections k
        join contact_identities i on i.kind = 'external:' || k.id
        join consents s on s.contact_id = i.contact_id
        where k.integration in (${sql.join(
          crms.map((name) => sql`${name}`),
          sql`, `,
        )}) and k.state = 'connected' and k.sealed_config is not null
          and s.created_at > clock_timestamp() - interval '1 day' and s.basis <> 'box'
          and (s.state = 'denied' or (s.basis = 'person' and exists (
            select 1 from consents d join lookups l on l.key = 'dnd ' || d.id and l.connection_id = k.id and l.state = 'done'
            where d.contact_id = s.contact_id and d.state = 'denied' and d.occurred_at <= s.occurred_at)))
          and not exists (select 1 from lookups l where l.connection_id = k.id and l.key = 'dnd ' || s.id)
        order by s.created_at limit ${perPass}
        on conflict do nothing`),
    );
  }
  return false;
}
