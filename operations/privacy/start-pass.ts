import { and, eq, isNull, lte, ne, sql } from 'drizzle-orm';
import type { TenantSummary, Tx } from '../../db/client.ts';
import { contactIdentities, contacts, erasures, personExports, privacyRequests, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { Deps, PersonWorkflows } from '../deps.ts';
import { requestErasureIn } from './erasures.ts';
import { requestExportIn } from './exports.ts';

const atOnce = 50;
/** A workflow that was started is looked for again after this: Temporal may have lost it. */
const startedAgainAfterSeconds = 300;
/** People of a shop whose erasures are begun in one pass. */
const peopleAtOnce = 100;

/**
 * Turn what shops have passed on into erasures and exports, and start the workflows of those that are open. A request is a row, so none is lost while
 * Temporal is away.
 * @returns whether there is more to do right away
 */
export async function privacyPass(deps: Deps & { engine: PersonWorkflows }): Promise<boolean> {
  const busy = await deps.db.tenantsWithWork('privacy');
  if (busy.length === 0) return false;
  const tenants = new Map((await deps.db.listTenants()).map((tenant) => [tenant.id, tenant]));
  let more = false;
  for (const tenantId of busy) {
    const tenant = tenants.get(tenantId);
    if (tenant === undefined) continue;
    more = (await takeUpRequests(deps, tenant)) || more;
    await startOpen(deps, tenant);
  }
  return more;
}

type Request = typeof privacyRequests.$inferSelect;

/** What Shopify's privacy topics have brought. */
async function takeUpRequests(deps: Deps, { id: tenantId }: TenantSummary): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const open = await tx
      .select()
      .from(privacyRequests)
      .where(isNull(privacyRequests.doneAt))
      .orderBy(privacyRequests.requestedAt)
      .limit(atOnce)
      .for('no key update', { skipLocked: true });
    let more = open.length === atOnce;
    for (const request of open) {
      const taken = await takeUp(tx, tenantId, request);
      if (taken) {
        await tx.update(privacyRequests).set({ doneAt: sql`clock_timestamp()` }).where(eq(privacyRequests.id, request.id));
      } else more = true;
    }
    return more;
  });
}

/** @returns whether nothing is left to do about it */
async function takeUp(tx: Tx, tenantId: string, { topic, contactId, connectionId }: Request): Promise<boolean> {
  const actor = `connection:${connectionId ?? 'unknown'}`;
  switch (topic) {
    case 'redact':
      // Null: nobody of the store is known by what the shop named.
      if (contactId !== null) await requestErasureIn(tx, { tenantId, contactId, actor, origin: 'shop' });
      return true;
    case 'data_request':
      if (contactId !== null) await requestExportIn(tx, { tenantId, contactId, actor, origin: 'shop' });
      return true;
    case 'shop_redact': {
      if (connectionId === null) return true;
      const people = await peopleOfConnection(tx, connectionId);
      for (const id of people) await requestErasureIn(tx, { tenantId, contactId: id, actor, origin: 'shop' });
      return people.length < peopleAtOnce;
    }
  }
}

/** People whom this connection has named or whose carts it has brought, and whose erasure was not asked for yet. */
async function peopleOfConnection(tx: Tx, connectionId: string): Promise<string[]> {
  const named = tx
    .select({ personId: contacts.personId })
    .from(contacts)
    .innerJoin(contactIdentities, eq(contactIdentities.contactId, contacts.id))
    .where(eq(contactIdentities.kind, `external:${connectionId}`));
  const left = tx
    .select({ personId: contacts.personId })
    .from(contacts)
    .innerJoin(subjects, eq(subjects.contactId, contacts.id))
    .innerJoin(subjectKeys, eq(subjectKeys.subjectId, subjects.id))
    .where(eq(subjectKeys.connectionId, connectionId));
  const rows = await tx
    .select({ id: contacts.id })
    .from(contacts)
    .where(
      and(sql`${contacts.id} in (${named} union ${left})`, sql`not exists (select from ${erasures} where ${erasures.contactId} = ${contacts.id})`),
    )
    .limit(peopleAtOnce);
  return rows.map(({ id }) => id);
}

async function startOpen(deps: Deps & { engine: PersonWorkflows }, tenant: TenantSummary): Promise<void> {
  const ref = { tenantId: tenant.id, tenantSlug: tenant.slug };
  const open = await deps.db.withTenant(tenant.id, async (tx) => ({
    erasures: await tx
      .select({ id: erasures.id })
      .from(erasures)
      .where(and(eq(erasures.state, 'running'), lte(erasures.nextStartAt, sql`clock_timestamp()`)))
      .limit(atOnce),
    exports: await tx
      .select({ id: personExports.id })
      .from(personExports)
      .where(and(ne(personExports.state, 'expired'), lte(personExports.nextStartAt, sql`clock_timestamp()`)))
      .limit(atOnce),
  }));
  const later = sql`clock_timestamp() + make_interval(secs => ${startedAgainAfterSeconds}::int)`;
  for (const { id } of open.erasures) {
    await deps.engine.startErasure({ ...ref, erasureId: id });
    await deps.db.withTenant(tenant.id, (tx) => tx.update(erasures).set({ nextStartAt: later }).where(eq(erasures.id, id)));
  }
  for (const { id } of open.exports) {
    await deps.engine.startExport({ ...ref, exportId: id });
    await deps.db.withTenant(tenant.id, (tx) => tx.update(personExports).set({ nextStartAt: later }).where(eq(personExports.id, id)));
  }
}
