import type { StoredRow } from '../../db/row-of.ts';
import { callFunction, type Tx } from '../../db/client.ts';
import type { DomainEvent, MessageRef } from '../../domain/events.ts';
import { chooseContact, type Identity } from '../../domain/people/choose-contact.ts';
import { keptApart } from '../../domain/people/kept-apart.ts';
import type { Version, VersionCache } from '../dispatch/versions.ts';
import { effectOf } from '../effects/index.ts';
import type { DecisionContext } from './draft.ts';
import { type Found, isSendKey, usableOf } from './found.ts';
import { namedBy } from './source.ts';
import { parseSuppression, parseWorld, type StoredWorld, versionsIn, type World, type WorldPart } from './world.ts';

/** What is read for one event besides what its names find. */
export interface WorldQuestion {
  parts: readonly WorldPart[];
  connection: string | null;
  orderNumber: string | null;
  message: MessageRef | null;
  /** By which trackers name what `conversions` reads. */
  trackerIds: readonly string[];
  /** Hashes of identities whose suppressions are read. */
  addressHashes: string[];
}

/** Nothing besides the people and subjects themselves. */
export const nothingBesides: WorldQuestion = { parts: [], connection: null, orderNumber: null, message: null, trackerIds: [], addressHashes: [] };

export function questionOf(event: DomainEvent, context: DecisionContext): WorldQuestion {
  const effect = effectOf(event);
  const { identities } = namedBy(context.source, event);
  return {
    parts: effect.reads,
    connection: context.source.connectionId === '' ? null : context.source.connectionId,
    orderNumber: effect.orderNumber?.(event) ?? null,
    message: effect.message?.(event) ?? null,
    trackerIds: effect.trackerIds?.(event) ?? [],
    addressHashes: effect.reads.includes('suppressions') ? identities.map((i) => context.addressHash(i)) : [],
  };
}

/** What `read_world` takes as the number of a message, or as the ids of trackers. No event asks for both. */
export function numberOf({ parts, message, trackerIds }: WorldQuestion): string | null {
  return parts.includes('conversions') ? JSON.stringify(trackerIds) : messageNumber(message);
}

/** As `read_world` takes it: the message's own key goes before its provider's id, which is not known while the call is in doubt. */
function messageNumber(message: MessageRef | null): string | null {
  if (message === null) return null;
  return isSendKey(message.sendKey) ? `key:${message.sendKey}` : message.providerMessageId;
}

/** Read the world of names that are locked already. */
export async function readWorld(tx: Tx, versions: VersionCache, found: Found, question: WorldQuestion): Promise<World> {
  const stored = await callFunction<StoredWorld>(tx, 'read_world($1, $2, $3, $4, $5, $6, $7, $8)', [
    [...found.reached, ...found.near],
    found.subjects,
    question.parts,
    question.connection,
    question.orderNumber,
    question.addressHashes,
    question.message?.account ?? null,
    numberOf(question),
  ]);
  return completeWorld(tx, versions, stored, found);
}

/** @param stored - as `read_world` returned it; the sequence versions that it names are added */
export async function completeWorld(tx: Tx, versions: VersionCache, stored: StoredWorld, found: Found): Promise<World> {
  const loaded = new Map<string, Version>();
  for (const id of versionsIn(stored)) loaded.set(id, await versions.load(tx, id));
  return parseWorld(stored, found, loaded);
}

/**
 * The suppressions of the persons' other identities. Hashes need the installation's key, so the database cannot find these by itself; most events
 * name every identity of their person, and then nothing is read.
 */
export async function withAllSuppressions(tx: Tx, event: DomainEvent, world: World, context: DecisionContext): Promise<World> {
  const { identities } = namedBy(context.source, event);
  const asks = effectOf(event).reads.includes('suppressions');
  const asked = asks ? identities : [];
  const others = identitiesToCheck(world, usableOf(world.found, identities), asks).filter(
    (held) => !asked.some((i) => i.kind === held.kind && i.value === held.value),
  );
  if (others.length === 0) return world;
  return { ...world, suppressions: [...world.suppressions, ...(await readSuppressions(tx, context, others))] };
}

/** Suppressions in force for these identities. */
export async function readSuppressions(tx: Tx, context: Pick<DecisionContext, 'addressHash'>, identities: readonly Identity[]) {
  const hashes = [...new Set(identities.map((i) => context.addressHash(i)))];
  return (await callFunction<StoredRow[]>(tx, 'read_suppressions($1)', [hashes])).map(parseSuppression);
}

/** Every identity of the persons meant; empty where the event neither needs suppressions nor merges anybody. */
function identitiesToCheck(world: World, usable: readonly Identity[], asks: boolean): Identity[] {
  const personOf = new Map(world.contacts.map((c) => [c.id, c.personId]));
  const held = world.identities.map((i) => ({ ...i, personId: personOf.get(i.contactId) ?? i.contactId }));
  const chosen = chooseContact(usable, held, keptApart(world.contacts));
  const changesPersons = chosen !== null && (chosen.together.length > 1 || chosen.missing.length > 0);
  if (!asks && !changesPersons) return [];
  const meant = new Set([...world.found.named, ...(chosen?.together ?? [])]);
  return held.filter((i) => meant.has(i.personId));
}
