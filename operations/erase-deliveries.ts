import { sql } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import { inbox, quarantine } from '../db/schema/index.ts';
import type { DomainEvent } from '../domain/events.ts';
import type { Identity } from '../domain/people/choose-contact.ts';
import type { TenantSettings } from '../domain/tenant-settings.ts';
import { namedBy, type ScopedKey, sourceOf } from './intake/source.ts';

/** Whom deliveries are searched for. */
export interface Traces {
  identities: readonly Identity[];
  keys: readonly ScopedKey[];
}

interface Looked {
  /** The last row that was looked at; null: there are no more. */
  after: string | null;
  erased: number;
  /** Deliveries about them that are still to be applied: they would bring the data back. */
  pending: number;
}

/** Rows per statement, few enough that other transactions do not wait long for its locks. */
const rowsAtOnce = 2_000;

/**
 * Empty the stored deliveries that name somebody. The database finds candidates by their text; whether a delivery names them decides the same code that
 * reads it.
 */
export async function eraseFromInbox(
  tx: Tx,
  traces: Traces,
  { tenantId, settings, after }: { tenantId: string; settings: TenantSettings; after: string },
): Promise<Looked> {
  const { plain, patterns } = candidatesOf(traces);
  const { rows } = await tx.$client.query<{
    id: string;
    connectionId: string;
    state: string;
    events: readonly DomainEvent[] | null;
    last: string | null;
  }>({
    text: `with page as (select i.id, i.connection_id, i.state, i.events from inbox i where i.id > $1 order by i.id limit ${rowsAtOnce}),
        found as (
          select p.* from page p
          where exists (select 1 from unnest($2::text[]) as n(value) where strpos(lower(p.events::text), n.value) > 0)
            or exists (select 1 from unnest($3::text[]) as n(value) where p.events::text ~ n.value))
      select f.id, f.connection_id as "connectionId", f.state, f.events, null as last from found f
      union all select (select max(id::text) from page)::uuid, null, null, null, (select count(*) from page)::text`,
    values: [after, plain, patterns],
  });
  const end = rows.find((row) => row.events === null);
  const theirs = rows.filter(
    (row) => row.events !== null && namesThem(row.events, sourceOf({ tenantId, connectionId: row.connectionId }, settings), traces),
  );
  const applied = theirs.filter((row) => row.state !== 'pending');
  for (const { id } of applied) await tx.update(inbox).set({ events: [], lastError: null }).where(sql`${inbox.id} = ${id}`);
  return { after: Number(end?.last ?? 0) < rowsAtOnce ? null : (end?.id ?? null), erased: applied.length, pending: theirs.length - applied.length };
}

/** Whether any of the events names one of them. */
export function namesThem(events: readonly DomainEvent[], source: ReturnType<typeof sourceOf>, { identities, keys }: Traces): boolean {
  return events.some((event) => {
    const names = namedBy(source, event);
    return (
      names.identities.some((i) => identities.some((own) => own.kind === i.kind && own.value === i.value)) ||
      names.keys.some((k) => keys.some((own) => own.connectionId === k.connectionId && own.kind === k.kind && own.value === k.value))
    );
  });
}

/** Empty what could not be read and has an address or number of theirs in it, and close it: nobody can read it any more. @returns how many */
export async function eraseFromQuarantine(tx: Tx, { identities }: Traces, by: string): Promise<number> {
  const { plain, patterns } = candidatesOf({ identities: identities.filter((i) => i.kind === 'email' || i.kind === 'phone'), keys: [] });
  if (plain.length + patterns.length === 0) return 0;
  const erased = await tx
    .update(quarantine)
    .set({
      body: '',
      headers: {},
      dismissedAt: sql`coalesce(${quarantine.releasedAt}, clock_timestamp())`,
      dismissedBy: by,
      dismissalReason: 'erased',
      releasedAt: sql`coalesce(${quarantine.releasedAt}, clock_timestamp())`,
    })
    .where(
      sql`exists (select 1 from unnest(${sql.param(plain)}::text[]) as n(value) where strpos(lower(${quarantine.body}), n.value) > 0)
        or exists (select 1 from unnest(${sql.param(patterns)}::text[]) as n(value) where ${quarantine.body} ~ n.value)`,
    )
    .returning({ id: quarantine.id });
  return erased.length;
}

/** Digits of a number's end that are enough to find it, however it is written. */
const tellingDigits = 7;

/** Texts in lower case, and patterns for numbers, of which a delivery that names them has one. */
function candidatesOf({ identities, keys }: Traces): { plain: string[]; patterns: string[] } {
  const plain = [...identities.filter((i) => i.kind !== 'phone'), ...keys].map(({ value }) => value.toLowerCase());
  const written = plain.flatMap((value) => [
    value,
    encodeURIComponent(value).toLowerCase(),
    JSON.stringify(value).slice(1, -1),
    value.replace('@', '\\u0040'),
  ]);
  const numbers = identities.filter((i) => i.kind === 'phone').map(({ value }) => value.replaceAll(/\D/g, '').slice(-tellingDigits));
  return { plain: [...new Set(written)], patterns: numbers.map((digits) => digits.split('').join('[^0-9]{0,3}')) };
}
