/** What tests shorten: times of the connection and of questions. */
export interface SendDeps {
  openTimeoutMs?: number;
  continueMs?: number;
  askTimeoutMs?: number;
}
