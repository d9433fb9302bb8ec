import type { EpochMs } from '../sequence/plan.ts';

/** What starts the sequences about the silence of a lead. */
export const leadSilent = 'lead.silent';

/** What starts the sequences about a lead that has left a chat. */
export const chatGhosted = 'chat.ghosted';

/** Whether a sequence is about the silence of a lead, in days. */
export const isAboutSilentLead = ({ on }: { on: string }): boolean => on === leadSilent;

/** Whether it is about a lead that has left a chat with the store's bot, in hours. */
export const isAboutGhost = ({ on }: { on: string }): boolean => on === chatGhosted;

/** Whether a sequence is about a silence of either kind: it is anchored at the last contact, and every answer ends it. */
export const isAboutSilence = (sequence: { on: string }): boolean => isAboutSilentLead(sequence) || isAboutGhost(sequence);

/** How long a lead must be left without an answer before it is silent, in milliseconds of real time: longer than this, so exactly 24 h is not. */
export const silentAfterMs = 24 * 3_600_000;

/** How long a chat must be left before its lead counts as gone, where the sequence says nothing else: exactly so long is enough. */
export const ghostedAfterMs = 2 * 3_600_000;

/** What is on record about a conversation. Times in epoch milliseconds, UTC; null: never, or not known. */
export interface Conversation {
  /** When the person asked last. */
  lastActivityAt: EpochMs;
  /** The latest message about this subject in either direction, ours excepted. */
  lastContactAt: EpochMs | null;
  /** When a colleague last spoke with the person about it. */
  contactedAt: EpochMs | null;
}

/** What is on record about its person. */
export interface Talker {
  lastReplyAt: EpochMs | null;
  lastContactedAt: EpochMs | null;
}

/**
 * When the person and the store were last in contact, in either direction. Our own recovery messages do not count, or no stage after the first would
 * ever be reached (docs/rules.md#rule-62).
 * @param people - every contact of the person
 */
export function lastContactOf({ lastActivityAt, lastContactAt, contactedAt }: Conversation, people: readonly Talker[]): EpochMs {
  const said = people.flatMap(({ lastReplyAt, lastContactedAt }) => [lastReplyAt, lastContactedAt]);
  return Math.max(lastActivityAt, ...[lastContactAt, contactedAt, ...said].filter((atMs) => atMs !== null));
}
