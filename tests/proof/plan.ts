import type { Checkpoint } from '../../operations/deps.ts';
import type { LostCommit } from '../chaos/postgres-line.ts';
import type { Behaviour } from './far-end.ts';
import type { SubjectName } from './subjects/index.ts';
import type { Providers } from './world.ts';

/** Where something may happen to a process: the product's checkpoints, and two places that the harness adds around them. */
export type Point = Checkpoint | 'settle.before_commit' | 'in_call';

export type Fault =
  | { kind: 'pause'; ms: number }
  /** Wakes up in the middle of somebody else's next call of the same step; some seconds at most. */
  | { kind: 'pause_into_next_call'; ms: number }
  /** As SIGKILL: its connections and calls are gone, nothing of it runs on. */
  | { kind: 'crash'; afterMs: number }
  /** Its database connection breaks; the process lives on. */
  | { kind: 'cut' }
  | { kind: 'lost_commit'; fate: LostCommit };

/** One life of a process: each fault strikes once, at its point. */
export interface ProcessPlan {
  faults: Partial<Record<Point, Fault>>;
  /** Before the next life, or the next attempt, begins. */
  waitMs: number;
}

/** Something that has to happen first; the delay counts from there. `start`: the history's begin. */
export interface When {
  after: 'start' | 'locked' | 'claimed' | 'called' | 'called_again' | 'accepted';
  delayMs: number;
}

/** Who and what there is: one subject; two of one person; two persons who may become one by a customer's id; the same where the second is known by
 * a number alone; a subject that changes hands; two persons who share a telephone number. */
export type Shape = 'one' | 'two_of_one' | 'two_persons' | 'number_alone' | 'changes_hands' | 'shared_number';

/** What moves are chosen by. */
export interface Scene {
  shape: Shape;
  /** Everybody has a telephone number: the step may go out as a text message where no email is possible. */
  texts: boolean;
  /** What the runs are about that there are from the beginning. */
  subjects: [SubjectName] | [SubjectName, SubjectName];
}

export interface Doing {
  /** One of `moves/index.ts`. */
  move: string;
  /** The run that it is about. */
  run: number;
}

/** What reaches the same process in the same moment: another move, something about a stranger, or an event that Postgres cannot store. */
export type Companion = Doing | 'stranger' | 'unstorable';

export interface ActionPlan {
  doing: Doing;
  /** They go into one transaction together, unless they have something in common. */
  together: Companion[];
  when: When;
  /** One life per attempt; after the last planned one, undisturbed ones follow. */
  lives: ProcessPlan[];
  /** The same again, so long after the first was sent. */
  repeatsMs: number[];
}

export interface DispatchPlan {
  run: number;
  when: When;
  lives: ProcessPlan[];
  /** false: after the planned lives nobody dispatches the step again. */
  comesBack?: boolean;
}

export interface HistoryPlan extends Scene {
  seed: number;
  providers: Providers;
  /** Nobody may be emailed from the beginning: the step goes out as a text message or not at all. */
  emailClosed: boolean;
  /** The tenant's rule: an opt-out on one channel closes all of them. */
  optOutAll: boolean;
  /** By run, in the order of its calls; further calls are accepted. */
  behaviours: Behaviour[][];
  dispatches: DispatchPlan[];
  actions: ActionPlan[];
  /** How the step of a lead that comes up in the middle of the history is dispatched. */
  newcomer: ProcessPlan[];
  /** A click on the link of the message, so long after each acceptance. */
  clicksAfterMs: number | null;
  /** When rows in doubt or put off are made ten seconds older, nothing of theirs being under way. */
  timePassesMs: number[];
}
