import type { Fault } from './faults.ts';
import type { Accepted } from './mail-record.ts';
import type { Life } from './product-process.ts';
import type { DeliveryRecord, UnsubscribeRecord } from './shop.ts';
import type { ShopperPlan } from './shopper.ts';
import type { Store } from './stores.ts';

/** A step as the REST API shows it at the end. Times on the run's clock. */
export interface StepEnd {
  id: string;
  /** It sends something. */
  sends: boolean;
  state: string;
  skipReason: string | null;
  dueMs: number;
  claimedMs: number | null;
  settledMs: number | null;
  /** What the far end said, or why nothing was heard; null: nothing is recorded. */
  response: string | null;
}

/** An enrollment as the REST API shows it at the end. Times on the run's clock. */
export interface EnrollmentEnd {
  id: string;
  store: Store;
  /** The cart or lead. */
  subject: string;
  status: string;
  stopReason: string | null;
  enrolledMs: number;
  activatedMs: number | null;
  endedMs: number | null;
  steps: StepEnd[];
  /** The whole story, a line each. */
  story: string[];
}

/** What is left in Postgres and Temporal when everything should have ended. */
export interface Remains {
  /** Rows by what they are: `outbox`, `inbox pending`, `messages live` … */
  rows: Record<string, number>;
  /** Recovery workflows by status. */
  workflows: Record<string, number>;
  /** Workflows that were run more than once. */
  workflowsRunAgain: number;
}

/** Something that was done to the installation, when it really was. */
export interface DoneFault {
  fault: Fault;
  fromMs: number;
  toMs: number;
}

/** All that the observer knows about a run. */
export interface Witnessed {
  shoppers: ShopperPlan[];
  deliveries: DeliveryRecord[];
  unsubscribes: UnsubscribeRecord[];
  messages: Accepted[];
  enrollments: EnrollmentEnd[];
  remains: Remains;
  lives: Life[];
  faults: DoneFault[];
  /** How busy the machine was: programs that run or wait for a core, per core. */
  loads: { atMs: number; perCore: number }[];
}
