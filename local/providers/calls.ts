import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { postUntilTaken, type WebhookTarget } from '../webhook.ts';

/** A call that was asked for, and what became of it. */
export interface HeldCall {
  id: string;
  /** As whoever placed it named it: by this it is found again. */
  name: string;
  number: string;
  /** What the assistant says first. */
  opening: string;
  metadata: Record<string, unknown>;
  atMs: number;
  /** null: it rings. */
  endedReason: string | null;
  transcript: string;
}

/** How a call ends: a reason of docs.vapi.ai/calls/call-ended-reason, and what was said. */
export interface CallEnd {
  endedReason: string;
  transcript: string;
}

const mostCalls = 2_000;

/**
 * A stand-in for VAPI on one machine: the part of its API that the product uses. Nobody is called: a call rings until a person ends it here, or nobody
 * has answered for `ringMs`.
 */
export class CallStandIn {
  readonly #accounts = new Map<string, WebhookTarget>();
  readonly #calls = new Map<string, { apiKey: string; call: HeldCall }>();
  readonly #ringing = new Map<string, NodeJS.Timeout>();
  readonly #reports = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  readonly #ringMs: number;
  /** What somebody who is called does: their end of the call; null: they let it ring. */
  answer: (call: HeldCall) => (CallEnd & { afterMs: number }) | null = () => null;

  constructor(ringMs = 60_000) {
    this.#ringMs = ringMs;
  }

  /** Where the calls of an account are reported. */
  connect(apiKey: string, target: WebhookTarget): void {
    this.#accounts.set(apiKey, target);
  }

  knows(apiKey: string): boolean {
    return this.#accounts.has(apiKey);
  }

  /** The latest first. */
  list(): HeldCall[] {
    return [...this.#calls.values()].map(({ call }) => call).toReversed();
  }

  place(apiKey: string, call: Pick<HeldCall, 'name' | 'number' | 'opening' | 'metadata'>): HeldCall {
    const placed: HeldCall = { ...call, id: randomUUID(), atMs: Date.now(), endedReason: null, transcript: '' };
    this.#calls.set(placed.id, { apiKey, call: placed });
    for (const oldest of [...this.#calls.keys()].slice(0, Math.max(0, this.#calls.size - mostCalls))) this.#calls.delete(oldest);
    const { afterMs, ...end } = this.answer(placed) ?? { afterMs: this.#ringMs, endedReason: 'customer-did-not-answer', transcript: '' };
    this.#ringing.set(
      placed.id,
      setTimeout(() => this.end(placed.id, end), afterMs),
    );
    return placed;
  }

  /** End a call that rings, and report it. @returns null where no such call rings */
  end(id: string, { endedReason, transcript }: CallEnd): HeldCall | null {
    const known = this.#calls.get(id);
    if (known === undefined || known.call.endedReason !== null) return null;
    const { apiKey, call } = known;
    clearTimeout(this.#ringing.get(id));
    this.#ringing.delete(id);
    Object.assign(call, { endedReason, transcript });
    const report = this.#report(apiKey, call)
      .catch(() => {})
      .finally(() => this.#reports.delete(report));
    this.#reports.add(report);
    return call;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    for (const timer of this.#ringing.values()) clearTimeout(timer);
    await Promise.all(this.#reports);
  }

  async #report(apiKey: string, { id, number, metadata, endedReason, transcript, atMs }: HeldCall): Promise<void> {
    const target = this.#accounts.get(apiKey);
    if (target === undefined) return;
    const call = { id, type: 'outboundPhoneCall', status: 'ended', customer: { number }, assistantOverrides: { metadata } };
    const times = { startedAt: new Date(atMs).toISOString(), endedAt: new Date().toISOString(), timestamp: Date.now() };
    const message = { type: 'end-of-call-report', endedReason, ...times, artifact: { transcript, messages: [] }, analysis: {}, call };
    const body = JSON.stringify({ message });
    const delivery = randomUUID();
    const seconds = Math.floor(Date.now() / 1_000);
    const signature = signStandardWebhook(target.secret, delivery, seconds, body);
    const headers = {
      'content-type': 'application/json',
      'webhook-id': delivery,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signature,
    };
    await postUntilTaken({ url: target.url, headers, body }, this.#ended.signal);
  }
}

type CallBody = {
  name?: unknown;
  customer?: { number?: unknown };
  assistantOverrides?: { firstMessage?: unknown; metadata?: Record<string, unknown> };
} | null;

/** VAPI's routes below `/vapi`, and those by which a person answers: `/calls`. */
export function callRoutes(app: FastifyInstance, calls: CallStandIn): void {
  const keyOf = (authorization: string | undefined): string | null => {
    const key = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    return key !== undefined && calls.knows(key) ? key : null;
  };
  const refused = { statusCode: 401, message: 'Invalid Key', error: 'Unauthorized' };

  app.post<{ Body: CallBody }>('/vapi/call', (request, reply) => {
    const key = keyOf(request.headers.authorization);
    if (key === null) return reply.code(401).send(refused);
    const { name, customer, assistantOverrides } = request.body ?? {};
    if (typeof customer?.number !== 'string' || !/^\+[1-9]\d{6,14}$/.test(customer.number))
      return reply
        .code(400)
        .send({ statusCode: 400, message: ['customer.number must be a valid phone number in the E.164 format'], error: 'Bad Request' });
    const call = calls.place(key, {
      name: typeof name === 'string' ? name : '',
      number: customer.number,
      opening: typeof assistantOverrides?.firstMessage === 'string' ? assistantOverrides.firstMessage : '',
      metadata: assistantOverrides?.metadata ?? {},
    });
    return reply.code(201).send(resourceOf(call));
  });
  app.get('/vapi/call', (request, reply) =>
    keyOf(request.headers.authorization) === null ? reply.code(401).send(refused) : reply.send(calls.list().map(resourceOf)),
  );

  app.get('/calls', () => ({ calls: calls.list() }));
  app.post<{ Params: { id: string }; Body: { endedReason?: unknown; transcript?: unknown } | null }>('/calls/:id/end', (request, reply) => {
    const { endedReason = 'customer-ended-call', transcript = '' } = request.body ?? {};
    if (typeof endedReason !== 'string' || typeof transcript !== 'string')
      return reply
        .code(400)
        .send({ error: '`endedReason` is a text such as "customer-ended-call" or "voicemail", and `transcript` one such as "User: Yes, please."' });
    const { id } = request.params;
    const wanted = id === 'latest' ? calls.list().find((call) => call.endedReason === null)?.id : id;
    const ended = wanted === undefined ? null : calls.end(wanted, { endedReason, transcript });
    return ended === null ? reply.code(404).send({ error: 'No such call rings.' }) : reply.send(ended);
  });
}

const resourceOf = ({ id, name, number, metadata, atMs, endedReason }: HeldCall) => ({
  id,
  name,
  type: 'outboundPhoneCall',
  status: endedReason === null ? 'queued' : 'ended',
  customer: { number },
  assistantOverrides: { metadata },
  createdAt: new Date(atMs).toISOString(),
  ...(endedReason === null ? {} : { endedReason }),
});
