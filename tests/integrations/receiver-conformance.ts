import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Delivery, Receiver, Secrets, StoreContext } from '../../integrations/port.ts';
import { aStore } from '../helpers/a-store.ts';

export interface ReceiverHarness {
  name: string;
  receiver: Receiver;
  /** Two live secrets and one that never was. */
  secrets: [string, string];
  wrongSecret: string;
  /** A signed delivery of this body, as the provider would send it. `id` marks the delivery, `topic` its kind. */
  sign(secret: string, raw: Buffer, delivery: { id: string; topic: string; atMs: number }): Delivery;
  /** Headers without which a delivery is not signed. */
  signatureHeaders: string[];
  /** Bodies that the provider sends. */
  examples: { topic: string; raw: Buffer }[];
  /** How bodies are written; absent: as JSON. */
  bodies?: 'json' | 'form';
  /** Absent: `aStore`. */
  store?: StoreContext;
  /** A delivery proves by a token who sends it, and says nothing about its bytes. */
  provesOnlySender?: true;
  /** What it does not know is kept as an event, and nothing is ignored. */
  readsEveryTopic?: true;
  /** A body of a topic that does not exist; absent: JSON whose `type` names it. */
  ofTopic?(topic: string): Buffer;
}

// Thousands of random inputs, on a machine that may be busy.
const patient = { timeout: 60_000 };

const atMs = Date.UTC(2026, 10, 24, 12);

/** What intake relies on, for any receiver: only authentic deliveries are accepted, repeats are recognised, and no body makes it throw. */
export function describeReceiverConformance(harness: ReceiverHarness): void {
  const { receiver, secrets, examples, store = aStore } = harness;
  const [example] = examples;
  if (example === undefined) throw new Error('A receiver without an example cannot be tested.');
  const signed = (secret: string, raw = example.raw, id = 'delivery-1', topic = example.topic): Delivery =>
    harness.sign(secret, raw, { id, topic, atMs });
  /** Why it is refused; null: it is not. */
  const refusalOf = (delivery: Delivery, live: Secrets) => {
    const received = receiver.receive(delivery, live, store);
    return received.kind === 'refused' ? received.reason : null;
  };
  const keyOf = (delivery: Delivery) => {
    const received = receiver.receive(delivery, secrets, store);
    return 'dedupeKey' in received ? received.dedupeKey : null;
  };

  describe(`the receiver contract: ${harness.name}`, () => {
    test('every example is authentic under each of two live secrets and becomes events', () => {
      for (const { topic, raw } of examples) {
        for (const secret of secrets) {
          const delivery = signed(secret, raw, 'delivery-1', topic);
          for (const live of [secrets, [secret] as const])
            expect(receiver.receive(delivery, live, store)).toMatchObject({ kind: 'events', topic, notes: [] });
          expect(receiver.reread(delivery, store)).toMatchObject({ kind: 'events', topic, notes: [] });
          expect(receiver.topics).toContain(topic);
        }
      }
    });

    test('a secret that is not live lets nothing in', () => {
      expect(refusalOf(signed(harness.wrongSecret), secrets)).toBe('bad_signature');
      expect(refusalOf(signed(secrets[0]), [secrets[1]])).toBe('bad_signature');
    });

    test('an empty secret lets nothing in', () => {
      expect(refusalOf(signed(secrets[0]), [''])).toBe('bad_signature');
    });

    test('a missing or empty signature is reported as missing', () => {
      for (const name of harness.signatureHeaders) {
        for (const value of [undefined, '', []]) {
          const delivery = signed(secrets[0]);
          delivery.headers[name] = value;
          expect(refusalOf(delivery, secrets)).toBe('missing_signature');
        }
      }
    });

    /** Of a form, bytes that mean the same, such as `%2b` and `%2B`, may have the same signature. */
    const expectNoticed = (altered: Delivery) => {
      if (harness.bodies !== 'form') return expect(refusalOf(altered, secrets)).toBe('bad_signature');
      const received = receiver.receive(altered, secrets, store);
      if (received.kind !== 'refused') expect(received).toEqual(receiver.receive(signed(secrets[0]), secrets, store));
      else expect(received.reason).toBe('bad_signature');
    };

    test.skipIf(harness.provesOnlySender === true)('any altered byte of the body is noticed', patient, () => {
      const whole = signed(secrets[0]).raw;
      let refused = 0;
      fc.assert(
        fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const delivery = signed(secrets[0]);
          delivery.raw = Buffer.from(whole);
          delivery.raw[at] = (delivery.raw[at] ?? 0) ^ change;
          expectNoticed(delivery);
          if (refusalOf(delivery, secrets) !== null) refused += 1;
        }),
      );
      expect(refused).toBeGreaterThan(50);
    });

    test.skipIf(harness.provesOnlySender === true)('a truncated or extended body is noticed', () => {
      const whole = signed(secrets[0]).raw;
      for (const raw of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from(' ')]), Buffer.alloc(0)]) {
        expect(refusalOf({ ...signed(secrets[0]), raw }, secrets)).toBe('bad_signature');
      }
    });

    test('any altered character of what was signed with the body is noticed', patient, () => {
      for (const name of harness.signatureHeaders) {
        const value = String(signed(secrets[0]).headers[name]);
        for (let at = 0; at < value.length; at += 1) {
          const char = value[at] === 'A' ? 'B' : 'A';
          const delivery = signed(secrets[0]);
          delivery.headers[name] = value.slice(0, at) + char + value.slice(at + 1);
          expect(refusalOf(delivery, secrets)).not.toBeNull();
          delivery.headers[name] = value.slice(0, at);
          expect(refusalOf(delivery, secrets)).not.toBeNull();
        }
      }
    });

    test.skipIf(harness.signatureHeaders.length === 0)('garbage in the signature is refused, never thrown', patient, () => {
      fc.assert(
        fc.property(fc.constantFrom(...harness.signatureHeaders), fc.string({ unit: 'binary' }), (name, value) => {
          const delivery = signed(secrets[0]);
          delivery.headers[name] = value;
          expect(refusalOf(delivery, secrets)).not.toBeNull();
        }),
      );
    });

    test('a repeat has the key of the first, another delivery has its own', () => {
      const key = keyOf(signed(secrets[0]));
      expect(key).not.toBeNull();
      expect(keyOf(signed(secrets[1]))).toBe(key);
      expect(keyOf(signed(secrets[0], example.raw, 'delivery-2'))).not.toBe(key);
    });

    test('a key can be stored, whatever the id was', patient, () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 2_000 }), (id) => {
          const key = keyOf(signed(secrets[0], example.raw, id));
          expect(key).toMatch(/^[\x21-\x7e]{1,255}$/);
        }),
      );
    });

    test('no body makes it throw, and no reason repeats what was received', patient, () => {
      const garbage = (harness.bodies === 'form' ? formGarbage(examples) : jsonGarbage(examples)).map((body) => Buffer.from(body));
      fc.assert(
        fc.property(fc.constantFrom(...examples), garbage, ({ topic }, raw) => {
          const normalised = receiver.receive(signed(secrets[0], raw, 'delivery-1', topic), secrets, store);
          if (normalised.kind === 'refused' || normalised.kind === 'answer') throw new Error(`authentic, and yet ${normalised.kind}`);
          if (normalised.kind === 'unreadable') expect(normalised.reason).not.toBe('');
          if (normalised.kind === 'events') expect([...normalised.events, ...(normalised.lookups ?? [])]).not.toEqual([]);
          if (normalised.kind !== 'ignored') {
            // No note and no reason repeats what was received.
            const said = JSON.stringify(normalised.kind === 'events' ? normalised.notes : [normalised.reason, normalised.fields]);
            expect(said).not.toMatch(/ada@example\.com|6641234567|Ada/);
          }
          expect(storable(normalised)).toBe(true);
        }),
        { numRuns: 2_000 },
      );
    });

    test('a topic from the prototype chain is ignored like any other unknown one', () => {
      for (const topic of ['constructor', '__proto__', 'toString', 'products/delete']) {
        const raw = harness.ofTopic?.(topic) ?? Buffer.from(JSON.stringify({ type: topic }));
        const received = receiver.receive(signed(secrets[0], raw, 'delivery-1', topic), secrets, store);
        const named = harness.ofTopic === undefined ? topic : (expect.stringContaining(topic.toLowerCase()) as unknown);
        expect(received).toMatchObject(harness.readsEveryTopic === true ? { kind: 'events' } : { kind: 'ignored', topic: named });
      }
    });
  });
}

function jsonGarbage(examples: { raw: Buffer }[]): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.json().map((json): unknown => JSON.parse(json)),
      fc.jsonValue(),
      mutated(examples),
    )
    .map((body) => JSON.stringify(body));
}

/** A form cannot hold half of a surrogate pair. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Noise, and real forms with one value replaced, left out or doubled. */
function formGarbage(examples: { raw: Buffer }[]): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', ' ', '\u0000', '\ud800', 'STOP', 'ada@example.com', 'x'.repeat(3_000), '__proto__', '{}'),
  );
  const changed = fc.tuple(fc.constantFrom(...examples), fc.nat(), value, fc.boolean()).map(([{ raw }, pick, given, doubled]) => {
    const form = new URLSearchParams(raw.toString());
    const names = [...form.keys()];
    const name = names[pick % names.length] ?? '';
    if (doubled) form.append(name, wellFormed(given));
    else if (given === '') form.delete(name);
    else form.set(name, wellFormed(given));
    return form.toString();
  });
  return fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.dictionary(fc.string(), value).map((fields) => new URLSearchParams(fields).toString()),
    changed,
  );
}

/** Real examples with one value replaced by something else: closer to the edge than noise is. */
function mutated(examples: { raw: Buffer }[]): fc.Arbitrary<unknown> {
  const replacement = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom<unknown>(
      null,
      '',
      [],
      {},
      -1,
      1e308,
      '-5',
      'NaN',
      '1e5',
      '9'.repeat(40),
      '\u0000',
      '\ud800',
      'a\u0000b',
      'x'.repeat(3_000),
      'javascript:alert(1)',
      '9999-99-99T99:99:99Z',
    ),
  );
  return fc.tuple(fc.constantFrom(...examples), fc.nat(), replacement).map(([{ raw }, pick, value]) => {
    const body: unknown = JSON.parse(raw.toString('utf8'));
    const places: [Record<string, unknown>, string][] = [];
    collect(body, places);
    const place = places[pick % places.length];
    if (place !== undefined) place[0][place[1]] = value;
    return body;
  });
}

function collect(value: unknown, places: [Record<string, unknown>, string][]): void {
  if (typeof value !== 'object' || value === null) return;
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    places.push([record, key]);
    collect(record[key], places);
  }
}

/** Postgres takes it: no NUL, no lone surrogate, no number but a safe one; only a quantity and a mean rating may be fractions. */
function storable(value: unknown, key = ''): boolean {
  if (typeof value === 'string') return !/[\0\p{Surrogate}]/u.test(value) && value.length <= 10_000;
  if (typeof value === 'number' && key === 'average') return value >= 1 && value <= 5;
  if (typeof value === 'number') return key === 'quantity' ? value > 0 && value <= 1_000_000 : Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, inner]) => storable(inner, name));
}
