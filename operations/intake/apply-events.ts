import type { Tx } from '../../db/client.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Deps } from '../deps.ts';
import { effectOf, isStop } from '../effects/index.ts';
import { type LiveClaim, readLiveClaims } from '../lease-watch.ts';
import type { Applied } from './delivery.ts';
import { type Decided, decide } from './decide.ts';
import type { DecisionContext } from './draft.ts';
import { type Found, findNamed, lockNamed, type Names } from './found.ts';
import { completeWorld, questionOf, readWorld, withAllSuppressions } from './read-world.ts';
import { type EventSource, namedBy } from './source.ts';
import type { StoredWorld, World } from './world.ts';
import { joined, tellsTemporal, type Writes, writeWorld } from './writes.ts';

/** What one event names. */
function namesOf(source: EventSource, event: DomainEvent): Names {
  return { ...namedBy(source, event), stops: isStop(event) };
}

/** What all events of a delivery name together. */
export function allNamesOf(source: EventSource, events: readonly DomainEvent[]): Names {
  const each = events.map((event) => namesOf(source, event));
  return { identities: each.flatMap((n) => n.identities), keys: each.flatMap((n) => n.keys), stops: each.some((n) => n.stops) };
}

/** The locks and the world of one event, as they came with its inbox row. */
export interface Opened {
  found: Found;
  world: StoredWorld;
}

/** What happens to the inbox row itself. */
export interface InboxRow {
  id: string;
  /** Its state changes to `applied` now; a new row is stored as such. */
  waited: boolean;
}

/** Applies events inside the transaction that holds their inbox row. One world, one decision, one write for each event. */
export class EventApplication {
  readonly #tx: Tx;
  readonly #deps: Pick<Deps, 'clock' | 'checkpoints' | 'versions'>;
  readonly #context: DecisionContext;
  readonly #covered = new Set<string>();
  readonly #notes: FieldNote[] = [];
  #claims: LiveClaim[] | null = [];
  #outboxWritten = false;

  constructor(tx: Tx, deps: Pick<Deps, 'clock' | 'checkpoints' | 'versions'>, context: DecisionContext) {
    this.#tx = tx;
    this.#deps = deps;
    this.#context = context;
  }

  /** The one event of a delivery that was opened together with its world. */
  async applyOpened(event: DomainEvent, opened: Opened, row: InboxRow): Promise<Applied> {
    const lockedAtMs = await this.#locked();
    this.#write(await this.decideOpened(event, opened, row));
    return this.applied(lockedAtMs);
  }

  /** The same without writing: for a set of deliveries, which are written together. */
  async decideOpened(event: DomainEvent, { found, world }: Opened, row: InboxRow): Promise<Writes> {
    const complete = await completeWorld(this.#tx, this.#deps.versions, world, found);
    const decided = await this.#decide(event, complete);
    this.#outboxWritten ||= tellsTemporal(decided.writes);
    return joined([told(decided), this.#closing(row)]);
  }

  /**
   * Several events: the world of each is read after the events before it were written.
   * @param locked - the locks of all of them are held; else they are taken
   * @throws MovedError when persons moved while their locks were awaited: the whole transaction is to be done again
   */
  async applyInTurn(events: readonly DomainEvent[], locked: Found | null, row: InboxRow): Promise<Applied> {
    const { source } = this.#context;
    const found = locked ?? (await lockNamed(this.#tx, allNamesOf(source, events)));
    const lockedAtMs = await this.#locked();
    for (const event of events) {
      // Several events in one delivery may name different people: each is applied to its own.
      const own = events.length > 1 ? await findNamed(this.#tx, namesOf(source, event)) : found;
      const world = await readWorld(this.#tx, this.#deps.versions, own, questionOf(event, this.#context));
      this.#write(told(await this.#decide(event, world)));
    }
    this.#write(this.#closing(row));
    return this.applied(lockedAtMs);
  }

  async #locked(): Promise<number> {
    const lockedAtMs = this.#deps.clock.monotonicMs();
    await this.#deps.checkpoints('stop.locked');
    return lockedAtMs;
  }

  async #decide(event: DomainEvent, read: World): Promise<Decided> {
    const world = await withAllSuppressions(this.#tx, event, read, this.#context);
    const decided = decide(event, world, this.#context);
    for (const id of decided.covered) this.#covered.add(id);
    this.#notes.push(...decided.notes);
    if (decided.covered.length > 0) this.#noteClaims(effectOf(event).reads.includes('claims') ? world : null);
    return decided;
  }

  /** @param world - in which the calls to everybody covered were read; null: they must still be read */
  #noteClaims(world: World | null): void {
    if (world === null) this.#claims = null;
    else this.#claims?.push(...world.claims.filter((claim) => this.#covered.has(claim.contactId)));
  }

  #closing({ id, waited }: InboxRow): Writes {
    if (!waited && this.#covered.size === 0 && this.#notes.length === 0) return {};
    return { applied: [{ id, covered: [...this.#covered].sort(), ...(this.#notes.length === 0 ? {} : { notes: this.#notes }) }] };
  }

  #write(writes: Writes): void {
    writeWorld(this.#tx, writes);
    this.#outboxWritten ||= tellsTemporal(writes);
  }

  /** @param lockedAtMs - the monotonic clock when the locks were held */
  async applied(lockedAtMs: number): Promise<Applied> {
    const coveredContactIds = [...this.#covered].sort();
    const liveClaims = this.#claims ?? (await readLiveClaims(this.#tx, coveredContactIds));
    return { coveredContactIds, liveClaims, lockedAtMs, outboxWritten: this.#outboxWritten };
  }
}

/** What is written of a decision, with what outgoing webhooks tell of it. */
const told = ({ writes, reported }: Decided): Writes => (reported.length === 0 ? writes : { ...writes, reported });
