/** What is counted and measured, by name. The process decides where the figures go (`config/telemetry.ts`). */
export interface Telemetry {
  webhook(integration: string, result: string, durationMs: number): void;
  /** A delivery named nobody and nothing, or cannot be stored. `topic`: one of the receiver's list, or `other`. */
  unreadable(integration: string, topic: string, mayBeStop: boolean): void;
  verdict(kind: string, reason: string): void;
  send(outcome: 'sent' | 'failed' | 'unknown', durationMs: number): void;
  dueToCall(latenessMs: number): void;
  /** From before a claim is written until its call begins: what a worker that dies in between leaves `unknown`. */
  claimToCall(ms: number): void;
  /** How late a step was dispatched, whatever was decided: what the product itself caused. */
  dispatchedLate(lateMs: number): void;
  leaseWait(result: 'none' | 'settled' | 'lease_over' | 'budget_spent', waitedMs: number): void;
  outboxDone(kind: string, lagMs: number): void;
  repaired(what: string): void;
  /** Postgres ended a transaction that this process had left waiting; `given_up`: it was repeated as often as it may be. */
  leftWaiting(result: 'repeated' | 'given_up'): void;
  /** Where an assessment came from that somebody asked for. */
  riskAnswered(source: 'cache' | 'stored' | 'computed'): void;
  /** `inference`: features and model of one account; `assessment`: with what is read and written, for each account. */
  riskStage(stage: 'inference' | 'assessment', ms: number): void;
  /** From an account's entry into a band of risk until the first action about it was accepted. `putOff`: hours, caps or a missing provider held it up. */
  firstAction(ms: number, putOff: boolean): void;
  /** How many stores have this alarm raised, by all workers alike. */
  storesInAlarm(figure: string, stores: number): void;
  /** From an update of a chat being stored to the first message of its answer being accepted. */
  chatAnswered(ms: number): void;
  /** From an event’s row to the sockets of all who listen. */
  liveTold(ms: number): void;
  /** How many listen now, in this process. */
  liveListeners(count: number): void;
  /** Why a listener was let go that did not leave. */
  liveEnded(reason: string): void;
}

export const noTelemetry: Telemetry = {
  webhook() {},
  unreadable() {},
  verdict() {},
  send() {},
  dueToCall() {},
  claimToCall() {},
  dispatchedLate() {},
  leaseWait() {},
  outboxDone() {},
  repaired() {},
  leftWaiting() {},
  riskAnswered() {},
  riskStage() {},
  firstAction() {},
  storesInAlarm() {},
  chatAnswered() {},
  liveTold() {},
  liveListeners() {},
  liveEnded() {},
};
