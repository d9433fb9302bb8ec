import type { DomainEvent } from '../../domain/events.ts';
import { effectOf } from '../effects/index.ts';
import { type DecisionContext, Draft } from './draft.ts';
import { noteCrowded } from './found.ts';
import { type Reported, reportedOf } from './reported.ts';
import type { World } from './world.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import { type Writes, writesOf } from './writes.ts';

/** What one event leads to. */
export interface Decided {
  writes: Writes;
  /** Contacts whose running calls must be over before the event is answered 2xx. */
  covered: string[];
  /** Notes about the event's fields that need the world, e.g. that an identity is shared by too many. */
  notes: FieldNote[];
  /** What outgoing webhooks tell of the event itself. */
  reported: Reported[];
}

/** Decide one event on the world as it was read under its locks. The same event, world and context give the same answer. */
export function decide(event: DomainEvent, world: World, context: DecisionContext): Decided {
  const draft = new Draft(world, context);
  effectOf(event).decide(event, draft);
  return {
    writes: writesOf(draft),
    covered: [...draft.changes.covered].sort(),
    notes: noteCrowded(world.found.crowded),
    reported: reportedOf(event, draft),
  };
}
