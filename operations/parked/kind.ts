import type { Deps } from '../deps.ts';
import type { ExternalId } from '../read/external-ids.ts';
import type { PageWanted } from '../read/page.ts';

export const parkedKinds = ['connection', 'sequence', 'delivery', 'outcome', 'endpoint', 'notification'] as const;
export type ParkedKindName = (typeof parkedKinds)[number];

export const parkedActions = ['resume', 'skip', 'cancel'] as const;
export type ParkedAction = (typeof parkedActions)[number];

/** Something that cannot go on by itself. Times in epoch milliseconds. */
export interface ParkedItem {
  /** Of what is parked, within its kind. */
  id: string;
  kind: ParkedKindName;
  /** For programs: renaming one is a breaking change. */
  cause: 'login_refused' | 'no_channel' | 'unreadable' | 'outcome_unknown' | 'endpoint_gone' | 'endpoint_failing' | 'not_told';
  /** null: not known, because an earlier build noted it. */
  sinceMs: number | null;
  /** What is the matter, for people. */
  sentence: string;
  /** What to do about it, and what each action does. */
  advice: string;
  affected: { enrollments: number; deliveries: number };
  actions: ParkedAction[];
  /** What it is about; null: nothing of that sort. */
  about: { connectionId: string | null; sequence: string | null; enrollmentId: string | null; step: string | null };
  /** The source's own ids of the subject; empty: it is about no single one. */
  externalIds: ExternalId[];
}

export type ParkedDone =
  | { kind: 'done' }
  /** There is no such item, or it is not parked any more. */
  | { kind: 'unknown' }
  /** It stays parked. `code` is for programs, `detail` says what to do. */
  | { kind: 'refused'; code: string; detail: string }
  /** It is not confirmed: ask again. */
  | { kind: 'busy' };

export interface ParkedWish {
  tenantId: string;
  id: string;
  actor: string;
  /** The reason, shown to operators. */
  note: string;
}

/** A kind of parked work: a view over what the tables know, and what a person may do about it. A new kind is a file and a line in `index.ts`. */
export interface ParkedKind {
  /**
   * In the order of ids.
   * @param one - this one alone, where it is parked
   */
  list(deps: Deps, tenantId: string, page: PageWanted & { one?: string }): Promise<ParkedItem[]>;
  /** What may be done; an action that is missing is refused. */
  acts: Partial<Record<ParkedAction, (deps: Deps, wish: ParkedWish) => Promise<ParkedDone>>>;
}

export const nowhere: ParkedItem['about'] = { connectionId: null, sequence: null, enrollmentId: null, step: null };
