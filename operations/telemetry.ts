/** What is counted and measured, by name. The process decides where the figures go (`config/telemetry.ts`). */
export interface Telemetry {
  webhook(integration: string, result: string, durationMs: number): void;
  verdict(kind: string, reason: string): void;
  send(outcome: 'sent' | 'failed' | 'unknown', durationMs: number): void;
  dueToCall(latenessMs: number): void;
  leaseWait(result: 'none' | 'settled' | 'lease_over' | 'budget_spent', waitedMs: number): void;
  outboxDone(kind: string, lagMs: number): void;
  repaired(what: string): void;
}

export const noTelemetry: Telemetry = {
  webhook() {},
  verdict() {},
  send() {},
  dueToCall() {},
  leaseWait() {},
  outboxDone() {},
  repaired() {},
};
