import { addressOf } from '../../domain/channels/index.ts';
import { resendConfig } from '../../integrations/resend/config.ts';
import { createResendSender } from '../../integrations/resend/send.ts';
import { twilioConfig } from '../../integrations/twilio/config.ts';
import { createTwilioSender } from '../../integrations/twilio/send.ts';
import { vapiConfig } from '../../integrations/vapi/config.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import type { Payload, Deadline, Reconciliation, Sender, SenderTimes, SendOutcome } from '../../integrations/port.ts';

/** The channels of every step, the preferred one first. Each has a far end of its own. */
export const stepChannels = ['email', 'sms'] as const;
export type StepChannel = (typeof stepChannels)[number];

/** A tenth of real times: deadline < lease < dead lease < settle time. A text message's provider is quicker, and its leases die later. */
export const times: SenderTimes = { deadlineMs: 250, leaseMs: 300, deadLeaseMs: 1_000 };
const invented: Record<StepChannel, SenderTimes> = { email: times, sms: { deadlineMs: 200, leaseMs: 260, deadLeaseMs: 1_050 } };
/** How long after the hand-over a request may still be accepted, also when its caller has long gone. */
export const latestAcceptanceMs = 450;
export const settleAfterMs = 1_100;
/** Assumption (a) of docs/guarantees.md, scaled: a call that ends later than this after its deadline was held up by the machine itself. */
const endsWithinMs = ({ leaseMs, deadlineMs }: SenderTimes) => leaseMs - deadlineMs - 5;

export type ProviderKind = Reconciliation['kind'];

/**
 * Providers as they really are: the times, the kind and the waits that their adapters declare. VAPI's calls are played on the channel for emails, because a
 * step of the proof has two channels, and the fence treats all alike. The other far ends are invented.
 */
const declared: Readonly<Partial<Record<`${StepChannel} ${ProviderKind}`, Sender>>> = {
  'email keys': createResendSender(resendConfig.parse({ apiKey: 're_invented' })),
  'email find': createVapiSender(vapiConfig.parse({ apiKey: 'an-invented-key', assistantId: 'an-assistant', phoneNumberId: 'a-number' })),
  'sms find': createTwilioSender(twilioConfig.parse({ accountSid: `AC${'0'.repeat(32)}`, authToken: 'an-invented-token', from: '+15005550006' }), {
    webhookUrl: null,
  }),
};

const tenth = ({ deadlineMs, leaseMs, deadLeaseMs }: SenderTimes): SenderTimes => ({
  deadlineMs: deadlineMs / 10,
  leaseMs: leaseMs / 10,
  deadLeaseMs: deadLeaseMs / 10,
});

function termsOf(channel: StepChannel, kind: ProviderKind): { times: SenderTimes; settleAfterMs: number; keyLifeMs: number } {
  const real = declared[`${channel} ${kind}`];
  if (real === undefined) return { times: invented[channel], settleAfterMs, keyLifeMs: 24 * 3_600_000 };
  const { reconciliation } = real;
  if (reconciliation.kind !== kind) throw new Error(`${real.account} declares "${reconciliation.kind}" and is played as "${kind}"`);
  return {
    times: tenth(real.times),
    settleAfterMs: reconciliation.kind === 'find' ? reconciliation.settleAfterMs / 10 : settleAfterMs,
    keyLifeMs: reconciliation.kind === 'keys' ? reconciliation.keyLifeMs : 0,
  };
}

/** What the far end does with one request, counted from its hand-over. */
export interface Behaviour {
  /** When the message is accepted; null: never. */
  takeAfterMs: number | null;
  answer: 200 | 429 | 422 | 500 | 'reset' | 'none';
  answerAfterMs: number;
  /** A request whose caller has gone is forgotten, unless it was accepted before. */
  dropsAbandoned: boolean;
}

/** One provider call, as the far end saw it. Times are of one monotonic clock, milliseconds. */
export interface Call {
  key: string;
  process: string;
  /** The far end that was called. */
  channel: StepChannel;
  /** The address in the message. */
  to: string;
  body: string;
  beganMs: number;
  /** null: open. */
  endedMs: number | null;
  outcome: SendOutcome['kind'] | 'abandoned' | null;
  /** It was refused for good. */
  forGood: boolean;
  /** It outlived its deadline by more than assumption (a) allows: this machine was too slow, the call proves nothing. */
  stretched: boolean;
}

export interface Acceptance {
  key: string;
  atMs: number;
  body: string;
  call: Call;
}

export interface FarEndListener {
  behaviour(): Behaviour;
  began(call: Call, payload: Payload): void;
  accepted(acceptance: Acceptance, payload: Payload): void;
  ended(call: Call): void;
}

/** The provider's side of every call, with its own record: nothing in it comes from the product's tables. */
export class FarEnd {
  readonly calls = new Map<string, Call[]>();
  readonly accepted = new Map<string, Acceptance[]>();
  readonly #pending = new Map<string, number>();
  readonly #listeners = new Map<string, FarEndListener>();
  readonly #abandon = new Map<string, Set<() => void>>();

  /** @param enrollmentId - its calls are this listener's */
  listen(enrollmentId: string, listener: FarEndListener): void {
    this.#listeners.set(enrollmentId, listener);
  }

  forget(enrollmentId: string, key: string): void {
    this.#listeners.delete(enrollmentId);
    this.calls.delete(key);
    this.accepted.delete(key);
    this.#pending.delete(key);
  }

  /** Whether nothing of this key is on its way: no open call, no request that may still be accepted. */
  isQuiet(key: string): boolean {
    return (this.#pending.get(key) ?? 0) === 0 && (this.calls.get(key) ?? []).every((c) => c.endedMs !== null);
  }

  /** A process died: its sockets are closed, its calls are over, nobody hears the answers. */
  clientGone(process: string): void {
    for (const abandon of [...(this.#abandon.get(process) ?? [])]) abandon();
    this.#abandon.delete(process);
  }

  /** The adapter as the product sees it, used by one process. */
  sender(channel: StepChannel, kind: ProviderKind, process: string): Sender {
    const terms = termsOf(channel, kind);
    const reconciliation: Reconciliation =
      kind === 'keys'
        ? { kind: 'keys', keyLifeMs: terms.keyLifeMs }
        : kind === 'find'
          ? { kind: 'find', settleAfterMs: terms.settleAfterMs, find: (key) => this.#find(channel, key) }
          : { kind: 'none' };
    return {
      channel,
      // The same for both channels, as at a provider of both.
      account: `far end (${kind})`,
      times: terms.times,
      reconciliation,
      open: async () => ({
        send: (payload, key, deadline, begun) => {
          begun?.();
          return this.#send(channel, kind, process, payload, key, deadline);
        },
        close() {},
      }),
    };
  }

  async #find(channel: StepChannel, key: string): Promise<'accepted' | 'not_accepted'> {
    const found = (this.accepted.get(key) ?? []).some((a) => a.call.channel === channel);
    // The answer is on its way while other things happen.
    await new Promise((done) => setTimeout(done, 15));
    return found ? 'accepted' : 'not_accepted';
  }

  #send(channel: StepChannel, kind: ProviderKind, process: string, payload: Payload, key: string, deadline: Deadline): Promise<SendOutcome> {
    const listener = this.#listeners.get(key.slice(0, key.indexOf(':')));
    const leftMs = deadline.remainingMs();
    if (listener === undefined || leftMs <= 0)
      return Promise.resolve({ kind: 'refused', severity: 'soft', outage: true, response: 'the deadline came before the call' });
    const behaviour = listener.behaviour();
    const to = addressOf(payload)?.value ?? '';
    const begun = { key, process, channel, to, body: inOrder(payload), beganMs: performance.now() };
    const call: Call = { ...begun, endedMs: null, outcome: null, forGood: false, stretched: false };
    append(this.calls, key, call);
    listener.began(call, payload);
    return new Promise((resolve) => {
      let takes: NodeJS.Timeout | null = null;
      const settle = () => this.#pending.set(key, (this.#pending.get(key) ?? 1) - 1);
      const end = (outcome: NonNullable<Call['outcome']>) => {
        clearTimeout(cutOff);
        clearTimeout(answers);
        this.#abandon.get(process)?.delete(abandon);
        call.endedMs = performance.now();
        call.outcome = outcome;
        call.stretched = call.endedMs - call.beganMs > leftMs + endsWithinMs(termsOf(channel, kind).times);
        if (takes !== null && behaviour.dropsAbandoned && (outcome === 'unknown' || outcome === 'abandoned')) {
          clearTimeout(takes);
          takes = null;
          settle();
        }
        listener.ended(call);
      };
      const abandon = () => end('abandoned');
      // The socket is destroyed at the deadline.
      const cutOff = setTimeout(() => finish({ kind: 'unknown', response: 'deadline' }), leftMs);
      const answers = behaviour.answer === 'none' ? undefined : setTimeout(() => finish(outcomeOf(behaviour.answer)), behaviour.answerAfterMs);
      const finish = (outcome: SendOutcome) => {
        call.forGood = outcome.kind === 'refused' && outcome.severity === 'hard';
        end(outcome.kind);
        resolve(outcome);
      };
      const set = this.#abandon.get(process) ?? new Set();
      this.#abandon.set(process, set.add(abandon));
      if (behaviour.takeAfterMs === null) return;
      this.#pending.set(key, (this.#pending.get(key) ?? 0) + 1);
      takes = setTimeout(() => {
        takes = null;
        settle();
        const known = this.accepted.get(key) ?? [];
        if (kind === 'keys' && known.some((a) => a.call.channel === channel)) return;
        const acceptance = { key, atMs: performance.now(), body: call.body, call };
        append(this.accepted, key, acceptance);
        listener.accepted(acceptance, payload);
      }, behaviour.takeAfterMs);
    });
  }
}

/** A payload as text, whatever order its fields came back in from where it was pinned. */
function inOrder(payload: Payload): string {
  return JSON.stringify(payload, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function outcomeOf(answer: Behaviour['answer']): SendOutcome {
  switch (answer) {
    case 200:
      return { kind: 'accepted', providerMessageId: 'far-end', response: 'HTTP 200' };
    case 429:
      return { kind: 'refused', severity: 'soft', response: 'HTTP 429' };
    case 422:
      return { kind: 'refused', severity: 'hard', response: 'HTTP 422' };
    case 500:
    case 'reset':
    case 'none':
      return { kind: 'unknown', response: String(answer) };
  }
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
