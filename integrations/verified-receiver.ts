import type { Delivery, Normalised, Receiver, Refusal, Secrets, StoreContext } from './port.ts';

/** The steps of most receivers. Each is called only after the one before has passed. */
export interface ReceiverSteps<Body> {
  /** @returns null when authentic, else why not */
  verify(delivery: Delivery, secrets: Secrets): Refusal | null;
  /** The body as `normalise` wants it, from the raw bytes. */
  parse(delivery: Delivery): { body: Body } | { refused: Refusal };
  /** The key under which a repeat is recognised; null: the delivery carries none. */
  dedupeKey(delivery: Delivery): string | null;
  /** Never throws for bad shapes. */
  normalise(delivery: Delivery, body: Body, store: StoreContext): Normalised;
}

type Traits = Omit<Receiver, 'receive' | 'reread'>;

/** A receiver that verifies the delivery, parses its body and then reads it. */
export function verifiedReceiver<Body>(steps: Traits & ReceiverSteps<Body>): Receiver & ReceiverSteps<Body> {
  return {
    ...steps,
    receive(delivery, secrets, store) {
      const fault = steps.verify(delivery, secrets);
      if (fault !== null) return { kind: 'refused', reason: fault };
      const parsed = steps.parse(delivery);
      if ('refused' in parsed) return { kind: 'refused', reason: parsed.refused };
      return { ...steps.normalise(delivery, parsed.body, store), dedupeKey: steps.dedupeKey(delivery) };
    },
    reread(delivery, store) {
      const parsed = steps.parse(delivery);
      if ('body' in parsed) return steps.normalise(delivery, parsed.body, store);
      return { kind: 'unreadable', topic: 'unknown', reason: `body: ${parsed.refused}`, fields: [], mayBeStop: true };
    },
  };
}

/** A `verifiedReceiver` of JSON bodies. */
export function jsonReceiver(steps: Traits & Omit<ReceiverSteps<unknown>, 'parse'>): Receiver & ReceiverSteps<unknown> {
  return verifiedReceiver({ ...steps, parse: (delivery) => parseJson(delivery.raw) });
}

function parseJson(raw: Buffer): { body: unknown } | { refused: 'not_json' } {
  try {
    // Programs on Windows begin a text with a byte order mark, which JSON does not know.
    return { body: JSON.parse(raw.toString('utf8').replace(/^\ufeff/, '')) };
  } catch {
    return { refused: 'not_json' };
  }
}
