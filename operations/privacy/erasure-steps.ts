import { and, asc, eq, gt, inArray, isNotNull, notInArray, or, sql } from 'drizzle-orm';
import { callFunction, type Tx } from '../../db/client.ts';
import {
  consents,
  contactIdentities,
  contacts,
  decisions,
  enrollments,
  erasures,
  messages,
  sequences,
  subjects,
  suppressions,
  tenants,
} from '../../db/schema/index.ts';
import { addCounts, type KeptTable, type Leftover } from '../../domain/privacy/receipt.ts';
import { distinctNames, type PersonTraces, searchTerms } from '../../domain/privacy/search-terms.ts';
import { recordAudit } from '../audit.ts';
import type { Deps, PersonWorkflows, WorkflowEngine, WorkflowRef } from '../deps.ts';
import { erasePerson } from '../erase-person.ts';
import { contactsOfPerson } from './erasures.ts';
import { openTraces, readErasureRow } from './receipts.ts';
import { searchTexts } from './search.ts';

export interface ErasureRef {
  tenantId: string;
  erasureId: string;
}

/** `wait`: it goes on later; what it waits for is in the row as well. */
export type StepDone = { kind: 'done' } | { kind: 'wait'; inMs: number; why: string };

const done: StepDone = { kind: 'done' };

type WaitsFor = NonNullable<typeof erasures.$inferSelect.waitsFor>;

const waits: Record<WaitsFor, { inMs: number; why: string }> = {
  call: { inMs: 1_000, why: 'a message is on its way, or somebody else is changing the person' },
  delivery: { inMs: 5_000, why: 'deliveries about the person are still to be applied' },
  import: { inMs: 30_000, why: 'a file of leads that names the person is still being taken in' },
  workflow: { inMs: 2_000, why: 'a workflow of the person has not ended yet' },
};

/** End every sequence of the person, wait for open calls, and take their data away. A repeat does what is left. */
export async function eraseStep(deps: Deps, { tenantId, erasureId }: ErasureRef): Promise<StepDone> {
  const row = await deps.db.withTenant(tenantId, (tx) => readErasureRow(tx, erasureId));
  if (row === null || row.state === 'done') return done;
  const erased = await erasePerson(deps, { tenantId, contactId: row.contactId, actor: row.requestedBy, erasureId });
  switch (erased.kind) {
    case 'erased':
    case 'not_found':
      return done;
    case 'busy':
      return waitFor(deps, { tenantId, erasureId }, 'call');
    case 'pending':
      return waitFor(deps, { tenantId, erasureId }, 'delivery');
    case 'importing':
      return waitFor(deps, { tenantId, erasureId }, 'import');
  }
}

async function waitFor(deps: Deps, { tenantId, erasureId }: ErasureRef, waitsFor: WaitsFor): Promise<StepDone> {
  await deps.db.withTenant(tenantId, (tx) => tx.update(erasures).set({ waitsFor }).where(eq(erasures.id, erasureId)));
  return { kind: 'wait', ...waits[waitsFor] };
}

const page = 100;

/**
 * Delete the histories of the person's workflows once these have ended. They hold ids only; but an operator may have typed a reason into one, and whoever
 * is forgotten needs no history. Postgres knows how each sequence ended.
 */
export async function forgetHistories(
  deps: Deps & { engine: WorkflowEngine & PersonWorkflows },
  { tenantId, erasureId }: ErasureRef,
  onProgress: () => void = () => undefined,
): Promise<StepDone> {
  const row = await deps.db.withTenant(tenantId, (tx) => readErasureRow(tx, erasureId));
  if (row === null || row.state === 'done') return done;
  const ended: WorkflowRef[] = [];
  for (let after: string | null = '00000000-0000-0000-0000-000000000000'; after !== null; ) {
    const found = await enrollmentsAfter(deps, tenantId, row.contactId, after);
    for (const { id, sequence, tenantSlug } of found) {
      onProgress();
      const ref = { tenantSlug, sequence, enrollmentId: id };
      const state = await deps.engine.describe(ref);
      // Nothing is deleted before all have ended: Temporal deletes in its own time, and what it still has would be counted again by the next attempt.
      if (state === 'running') return waitFor(deps, { tenantId, erasureId }, 'workflow');
      if (state !== 'missing') ended.push(ref);
    }
    after = found.length < page ? null : (found.at(-1)?.id ?? null);
  }
  for (const ref of ended) {
    onProgress();
    const deleted = await deps.engine.forget(ref);
    await deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(erasures)
        .set({ histories: sql`${erasures.histories} + ${deleted}` })
        .where(eq(erasures.id, erasureId)),
    );
  }
  return done;
}

function enrollmentsAfter(deps: Pick<Deps, 'db'>, tenantId: string, contactId: string, after: string) {
  return deps.db.withTenant(tenantId, async (tx) => {
    const whose = await contactsOfPerson(tx, contactId);
    if (whose === null) return [];
    return tx
      .select({ id: enrollments.id, sequence: sequences.slug, tenantSlug: tenants.slug })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .innerJoin(tenants, eq(tenants.id, enrollments.tenantId))
      .where(and(inArray(enrollments.contactId, whose.all), gt(enrollments.id, after)))
      .orderBy(asc(enrollments.id))
      .limit(page);
  });
}

/**
 * Search for what is left of the person in every table, empty what nobody in particular owned, search again, and write the receipt. Where something is
 * left even then, the receipt says where, and a repeat of the request tries again.
 */
export async function searchStep(deps: Deps, { tenantId, erasureId }: ErasureRef, onProgress: () => void = () => undefined): Promise<StepDone> {
  const row = await deps.db.withTenant(tenantId, (tx) => readErasureRow(tx, erasureId));
  const traces = row === null ? null : openTraces(deps.sealing, row);
  if (row === null || row.state === 'done') return done;
  const own = traces === null ? null : await withoutShared(deps, tenantId, row.contactId, traces);
  const terms = searchTerms(own?.traces ?? { identities: [], keys: [], names: [] });
  const search = () => deps.db.snapshot(tenantId, (tx) => searchTexts(tx, terms, onProgress));
  let result = await search();
  let shredded: Record<string, number> = {};
  if (result.found.length > 0) {
    const where = result.found.map(({ table, column }) => `${table}.${column}`);
    shredded = await deps.db.withTenant(tenantId, (tx) => callFunction(tx, 'shred_texts($1, $2, $3)', [where, terms.like, terms.regex]));
    result = await search();
  }
  const searched = { tables: result.tables, columns: result.columns, ...terms.counts, shared: own?.shared ?? 0 };
  await deps.checkpoints('erasure.searched');
  await deps.db.withTenant(tenantId, async (tx) => {
    const [now] = await tx.select().from(erasures).where(eq(erasures.id, erasureId)).for('no key update');
    if (now === undefined || now.state === 'done') return;
    const clean = result.found.length === 0;
    await tx
      .update(erasures)
      .set({
        state: clean ? 'done' : 'incomplete',
        erased: addCounts(now.erased, shredded),
        kept: await countKept(tx, row.contactId, deps.sealing, tenantId, traces),
        searched,
        found: result.found,
        waitsFor: null,
        doneAt: sql`clock_timestamp()`,
        ...(clean ? { sealedTraces: null } : {}),
      })
      .where(eq(erasures.id, erasureId));
    const action = clean ? 'erasure.done' : 'erasure.incomplete';
    await recordAudit(tx, {
      tenantId,
      actor: row.requestedBy,
      action,
      subject: row.contactId,
      data: { erasure: erasureId, found: places(result.found) },
    });
  });
  if (result.found.length > 0) deps.log.error({ erasure: erasureId, found: places(result.found) }, 'an erasure is incomplete');
  return done;
}

const places = (found: readonly Leftover[]) => found.map(({ table, column, rows }) => `${table}.${column}: ${rows}`);

/** Without what another person of the store has too: a household's number is still theirs. */
async function withoutShared(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  contactId: string,
  traces: PersonTraces,
): Promise<{ traces: PersonTraces; shared: number }> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const whose = await contactsOfPerson(tx, contactId);
    const held = await tx
      .selectDistinct({ kind: contactIdentities.kind, value: contactIdentities.value })
      .from(contactIdentities)
      .where(
        and(
          inArray(
            contactIdentities.value,
            traces.identities.map(({ value }) => value),
          ),
          notInArray(contactIdentities.contactId, whose?.all ?? []),
        ),
      );
    const full = distinctNames(traces.names);
    const namesakes = await tx
      .select({ first: contacts.firstName, last: contacts.lastName })
      .from(contacts)
      .where(
        and(
          isNotNull(contacts.firstName),
          inArray(
            sql`lower(trim(${contacts.lastName}))`,
            full.map(([, last]) => last),
          ),
          notInArray(contacts.id, whose?.all ?? []),
        ),
      );
    const taken = new Set(distinctNames(namesakes).map((name) => JSON.stringify(name)));
    const identities = traces.identities.filter((own) => !held.some(({ kind, value }) => kind === own.kind && value === own.value));
    const names = full.filter((name) => !taken.has(JSON.stringify(name))).map(([first, last]) => ({ first, last }));
    const shared = traces.identities.length - identities.length + (full.length - names.length);
    return { traces: { identities, keys: traces.keys, names }, shared };
  });
}

async function countKept(
  tx: Tx,
  contactId: string,
  sealing: Deps['sealing'],
  tenantId: string,
  traces: PersonTraces | null,
): Promise<Record<KeptTable, number>> {
  const all = (await contactsOfPerson(tx, contactId))?.all ?? [];
  const theirs = tx.select({ id: enrollments.id }).from(enrollments).where(inArray(enrollments.contactId, all));
  const hashes = (traces?.identities ?? []).map(({ kind, value }) => sealing.addressHash(tenantId, kind, value));
  return {
    contacts: all.length,
    subjects: await tx.$count(subjects, inArray(subjects.contactId, all)),
    enrollments: await tx.$count(enrollments, inArray(enrollments.contactId, all)),
    messages: await tx.$count(messages, or(inArray(messages.contactId, all), inArray(messages.enrollmentId, theirs))),
    decisions: await tx.$count(decisions, inArray(decisions.enrollmentId, theirs)),
    consents: await tx.$count(consents, inArray(consents.contactId, all)),
    suppressions: await tx.$count(suppressions, inArray(suppressions.addressHash, hashes)),
  };
}
