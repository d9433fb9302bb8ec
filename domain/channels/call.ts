import type { MessageChannel } from './channel.ts';

/** How a call is made; null: the next in line (campaign, then connection) decides. The provider maps the names to its own. */
export interface CallConfiguration {
  /** Which of the provider's assistants speaks. */
  assistant: string | null;
  /** Which of the account's numbers it calls from. */
  phoneNumber: string | null;
  maxSeconds: number | null;
}

/** A telephone call as it is handed to a provider: what the assistant says first, and what it knows. */
export interface CallPayload {
  channel: 'call';
  /** E.164. */
  to: string;
  /** What the person is called; null: not known. */
  name: string | null;
  opening: string;
  /** BCP 47, of the opening. */
  language: string;
  /** What the assistant's own script may name. */
  variables: Record<string, string>;
  /** As the text and then the campaign have it; what neither says is the connection's. */
  configuration: CallConfiguration;
  /** Epoch milliseconds: when it was made, so that it can be looked for. */
  dateMs: number;
}

/** A telephone call, in which an assistant speaks. */
export const call: MessageChannel<CallPayload> = {
  noun: 'call',
  address: 'phone',
  purpose: 'marketing',
  disturbs: true,
  law: 'calls',
  consentClass: 'calls',
  carriesCopy: true,
  addressOf: ({ to }) => to,
};

/** What a campaign says of its calls, as it is stored: names that nothing reads are left alone. */
export function readCallConfiguration(stored: Readonly<Record<string, unknown>> | null): Partial<CallConfiguration> | null {
  if (stored === null) return null;
  const text = (name: string) => (typeof stored[name] === 'string' ? stored[name] : null);
  const { maxSeconds } = stored;
  return { assistant: text('assistant'), phoneNumber: text('phoneNumber'), maxSeconds: typeof maxSeconds === 'number' ? maxSeconds : null };
}

const nothingSaid: CallConfiguration = { assistant: null, phoneNumber: null, maxSeconds: null };

/** What holds where several say how a call is made: the first that says something about each part. Its text goes before its campaign. */
export function callConfiguration(...sources: readonly (Partial<CallConfiguration> | null | undefined)[]): CallConfiguration {
  const first = <K extends keyof CallConfiguration>(part: K): CallConfiguration[K] =>
    sources.find((source) => source?.[part] != null)?.[part] ?? nothingSaid[part];
  return { assistant: first('assistant'), phoneNumber: first('phoneNumber'), maxSeconds: first('maxSeconds') };
}
