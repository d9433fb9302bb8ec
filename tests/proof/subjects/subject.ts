/** What a history can be about: how it is reported, and which sequence follows it up. */
export interface ProofSubject {
  /** The trigger of its sequence. */
  trigger: string;
  /** How long the trigger waits before the sequence begins, as the sequence's file says it. */
  quietFor: string;
  stopOn: string;
  /** The copy of its email. */
  html: string;
  /** The event that reports it. */
  type: string;
  /** The event's data. @param token - its id at the source */
  report(token: string, contact: Record<string, unknown>): Record<string, unknown>;
}
