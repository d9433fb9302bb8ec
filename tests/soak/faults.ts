import type { Random } from '../chaos/random.ts';

/** Processes that a run kills and starts again. The relay runs inside API and workers. */
export const productProcesses = ['api-1', 'api-2', 'worker-1', 'worker-2'] as const;
export type ProductProcess = (typeof productProcesses)[number];
export type Server = 'temporal' | 'postgres';

/** What the mail server does for a while, to every connection. */
export type MailTrouble =
  /** Each exchange takes a second more before the message itself: stops meet calls that are running. */
  | 'is slow'
  | 'is going down'
  | 'puts recipients off'
  | 'resets while it reads'
  | 'puts messages off'
  | 'takes and closes'
  | 'takes and hangs'
  | 'hangs without taking';

/** Troubles of the far ends that last until they are told to behave. */
export type FarEndFault = Extract<Fault, { kind: 'mail' | 'provider' }>;
export const isOfFarEnd = (fault: Fault): fault is FarEndFault => fault.kind === 'mail' || fault.kind === 'provider';

/**
 * Troubles after which nobody can know whether a message was taken, unless its provider can be asked. A reset while the body of an email is read is one:
 * the final dot of a short email is on its way before the reset arrives.
 */
const ambiguous: readonly string[] = [
  ...(['resets while it reads', 'takes and closes', 'takes and hangs', 'hangs without taking'] satisfies MailTrouble[]),
  ...(['takes and resets', 'takes and hangs', 'hangs without taking'] satisfies ProviderTrouble[]),
];
export const isAmbiguous = (fault: Fault): boolean => isOfFarEnd(fault) && ambiguous.includes(fault.what);

/** What the providers of texts and calls do for a while, to every message. */
export type ProviderTrouble =
  /** Stops meet calls that are running. */
  'answers slowly' | 'answers 503' | 'takes and resets' | 'takes and hangs' | 'hangs without taking';

/** Something done to the installation. Times in milliseconds, `atMs` since the run began. */
export type Fault = { atMs: number; forMs: number } & (
  | { kind: 'kill'; what: ProductProcess | Server }
  /** SIGTERM. */
  | { kind: 'end'; what: ProductProcess }
  /** Postgres's immediate shutdown, SIGQUIT. */
  | { kind: 'immediate'; what: 'postgres' }
  /** SIGSTOP, then SIGCONT: beyond assumption (a) of docs/guarantees.md. */
  | { kind: 'pause'; what: 'worker-1' | 'worker-2' }
  | { kind: 'mail'; what: MailTrouble }
  | { kind: 'provider'; what: ProviderTrouble }
);

export interface FaultOptions {
  /** No fault begins after this. */
  untilMs: number;
  /** Between the beginnings of two faults, at least and at most. */
  gapMs: readonly [number, number];
  pauses: boolean;
  /** The longest that a server stays away. */
  longestMs: number;
}

// A process that has just been started again is left alone for as long as it takes to be of use.
const spareMs = 6_000;

/** Draw what goes wrong, and when. What is down already is not struck again. */
export function drawFaults(random: Random, options: FaultOptions): Fault[] {
  const faults: Fault[] = [];
  const spared = new Map<string, number>();
  const { longestMs } = options;
  const shortly = (most: number) => random.whole(300, Math.min(most, longestMs));
  for (let atMs = random.whole(2_000, 4_000); atMs < options.untilMs; atMs += random.whole(...options.gapMs)) {
    const fault = drawOne();
    if ((spared.get(targetOf(fault)) ?? 0) > atMs) continue;
    spared.set(targetOf(fault), atMs + fault.forMs + spareMs);
    faults.push(fault);

    function drawOne(): Fault {
      const kind = random.weighted([
        [3, 'kill worker'],
        [2, 'kill api'],
        [1, 'end worker'],
        [1, 'end api'],
        [2, 'kill temporal'],
        [1, 'kill postgres'],
        [1, 'immediate postgres'],
        [2, 'mail'],
        [2, 'slow mail'],
        [1, 'provider'],
        [1, 'slow provider'],
        [options.pauses ? 3 : 0, 'pause'],
      ]);
      const worker = random.pick(['worker-1', 'worker-2']);
      const api = random.pick(['api-1', 'api-2']);
      switch (kind) {
        case 'kill worker':
          return { kind: 'kill', what: worker, atMs, forMs: shortly(8_000) };
        case 'kill api':
          return { kind: 'kill', what: api, atMs, forMs: shortly(5_000) };
        case 'end worker':
          return { kind: 'end', what: worker, atMs, forMs: shortly(4_000) };
        case 'end api':
          return { kind: 'end', what: api, atMs, forMs: shortly(4_000) };
        case 'kill temporal':
          return { kind: 'kill', what: 'temporal', atMs, forMs: random.whole(1_000, Math.min(15_000, longestMs)) };
        case 'kill postgres':
          return { kind: 'kill', what: 'postgres', atMs, forMs: random.whole(1_000, Math.min(10_000, longestMs)) };
        case 'immediate postgres':
          return { kind: 'immediate', what: 'postgres', atMs, forMs: random.whole(1_000, Math.min(10_000, longestMs)) };
        case 'pause':
          return { kind: 'pause', what: worker, atMs, forMs: random.whole(1_000, 12_000) };
        case 'mail':
          return { kind: 'mail', what: drawTrouble(random), atMs, forMs: random.whole(500, 2_500) };
        case 'slow mail':
          return { kind: 'mail', what: 'is slow', atMs, forMs: random.whole(2_000, 10_000) };
        case 'provider':
          return { kind: 'provider', what: drawProviderTrouble(random), atMs, forMs: random.whole(500, 2_500) };
        case 'slow provider':
          return { kind: 'provider', what: 'answers slowly', atMs, forMs: random.whole(2_000, 10_000) };
      }
    }
  }
  return faults;
}

const targetOf = (fault: Fault) => (isOfFarEnd(fault) ? fault.kind : fault.what);

function drawTrouble(random: Random): MailTrouble {
  return random.pick([
    'is going down',
    'puts recipients off',
    'resets while it reads',
    'puts messages off',
    'takes and closes',
    'takes and hangs',
    'hangs without taking',
  ]);
}

function drawProviderTrouble(random: Random): ProviderTrouble {
  return random.pick(['answers 503', 'takes and resets', 'takes and hangs', 'hangs without taking']);
}
