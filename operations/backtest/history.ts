import type { Tx } from '../../db/client.ts';
import type { DomainEvent, PersonRef, SubjectKey } from '../../domain/events.ts';
import { isStrong } from '../../domain/people/choose-contact.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { contactsByIdentity, type Holder, mostHolders, subjectKeysOf } from '../intake/found.ts';
import { identitiesOf, keysOf, sourceOf } from '../intake/source.ts';
import { eachPage } from './pages.ts';

/** Events that a backtest applies. What becomes of messages is only known of those that were sent, and changes of orders stop nothing. */
const appliedTypes = [
  'cart.updated',
  'cart.deleted',
  'lead.created',
  'lead.contacted',
  'subject.reported',
  'order.placed',
  'contact.updated',
  'contact.opted_out',
  'contact.opted_in',
  'message.received',
] as const satisfies DomainEvent['type'][];
/** Those that report a subject: they belong to its owner alone, so that nothing is counted for two people. */
const reports: readonly string[] = ['cart.updated', 'lead.created', 'subject.reported'];

/** Whose events the stored deliveries are, by the people as they are known today. */
export interface History {
  /** By person, their events in the order of their arrival: `<id of the delivery>/<index of the event>`. */
  events: Map<string, string[]>;
  /** Identities that too many people are said to have: they name nobody. `kind value`. */
  crowded: Set<string>;
}

interface NamedEvent {
  id: string;
  index: number;
  connectionId: string;
  type: DomainEvent['type'];
  person: PersonRef | null;
  keys: SubjectKey[] | null;
}

/** Which people are taken in one pass over the deliveries, so that no pass has to keep more in memory than `mostKept` events. */
export interface Share {
  part: number;
  of: number;
}

/** An id and an index: about 100 bytes. */
const mostKept = 500_000;

/** In how many passes the history is read: the memory of a backtest does not depend on how long it is. */
export async function countPasses(tx: Tx, span: { fromMs: number; untilMs: number }): Promise<number> {
  const { rows } = await tx.$client.query<{ deliveries: string }>({
    text: `select count(*) as deliveries from inbox where received_at >= $1 and received_at < $2 and state in ('applied', 'pending')`,
    values: [new Date(span.fromMs), new Date(span.untilMs)],
  });
  return Math.max(1, Math.ceil(Number(rows[0]?.deliveries ?? 0) / mostKept));
}

/** Find out whose the stored events are. The names in them are read by the functions that intake reads them with. */
export async function readHistory(
  tx: Tx,
  { tenantId, settings }: { tenantId: string; settings: TenantSettings },
  span: { fromMs: number; untilMs: number },
  share: Share,
): Promise<History> {
  const history: History = { events: new Map(), crowded: new Set() };
  const text = `
    select d.id, d.connection_id as "connectionId", e.index - 1 as index, e.event ->> 'type' as type, e.event -> 'keys' as keys,
      case when e.event -> 'person' is null or e.event -> 'person' = 'null' then null else jsonb_build_object(
        'email', e.event -> 'person' -> 'email', 'phone', e.event -> 'person' -> 'phone', 'externalId', e.event -> 'person' -> 'externalId') end as person
    from inbox d cross join lateral jsonb_array_elements(d.events) with ordinality as e(event, index)
    where d.received_at >= '${new Date(span.fromMs).toISOString()}' and d.received_at < '${new Date(span.untilMs).toISOString()}'
      and d.state in ('applied', 'pending') and e.event ->> 'type' in (${appliedTypes.map((type) => `'${type}'`).join(', ')})
    order by d.id, e.index`;
  await eachPage<NamedEvent>(tx, 'history', text, 2_000, async (rows) => {
    const named = rows.map((row) => ({ row, ...namesOf(row, tenantId, settings) }));
    const holders = await contactsByIdentity(
      tx,
      distinct(
        named.flatMap(({ identities }) => identities),
        ofIdentity,
      ),
    );
    const owned = await subjectKeysOf(
      tx,
      distinct(
        named.flatMap(({ keys }) => keys),
        ofKey,
      ),
    );
    const byIdentity = groupBy(holders, ofIdentity);
    const byKey = groupBy(owned, ofKey);
    for (const [identity, of] of byIdentity) if (isCrowded(of)) history.crowded.add(identity);
    for (const { row, identities, keys } of named) {
      const owners = unique(keys.flatMap((key) => byKey.get(ofKey(key)) ?? []).flatMap(({ personId }) => personId ?? []));
      const usable = identities.filter((i) => !history.crowded.has(ofIdentity(i)));
      const holding = (of: typeof usable) => unique(of.flatMap((i) => byIdentity.get(ofIdentity(i)) ?? []).map(({ personId }) => personId));
      const strong = holding(usable.filter(isStrong));
      // A report reaches the owner of its subject; of an ownerless subject, the people it names.
      const owner = owners[0] ?? strong[0] ?? holding(usable)[0];
      const persons = reports.includes(row.type) ? (owner === undefined ? [] : [owner]) : unique([...owners, ...holding(usable)]);
      for (const person of persons) if (isOf(person, share)) add(history.events, person, `${row.id}/${row.index}`);
    }
  });
  return history;
}

function namesOf({ connectionId, person, keys }: NamedEvent, tenantId: string, settings: TenantSettings) {
  const source = sourceOf({ tenantId, connectionId }, settings);
  return { identities: person === null ? [] : identitiesOf(source, person), keys: keys === null ? [] : keysOf(source, keys) };
}

/** As `find_named_2` counts, but for holders of verified ids, which today's people have merged already. */
const isCrowded = (holders: readonly Holder[]) => unique(holders.map(({ personId }) => personId)).length > mostHolders;
const isOf = (personId: string, { part, of }: Share) => of === 1 || Number.parseInt(personId.slice(-8), 16) % of === part;

export const ofIdentity = ({ kind, value }: { kind: string; value: string }) => `${kind} ${value}`;
export const ofKey = (key: { connectionId: string; kind: string; value: string }) => `${key.connectionId} ${key.kind} ${key.value}`;
const unique = <T>(list: readonly T[]) => [...new Set(list)];
const distinct = <T>(list: readonly T[], keyOf: (item: T) => string) => [...new Map(list.map((item) => [keyOf(item), item])).values()];

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function add(lists: Map<string, string[]>, key: string, item: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
