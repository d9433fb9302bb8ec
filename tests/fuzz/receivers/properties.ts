import { isDeepStrictEqual } from 'node:util';
import type fc from 'fast-check';
import type { DomainEvent } from '../../../domain/events.ts';
import type { Normalised } from '../../../integrations/port.ts';
import { integrations } from '../../../integrations/index.ts';
import { aStore } from '../../helpers/a-store.ts';
import { type Damage, damaged, damagesOf } from './damage.ts';
import { anyValidDelivery, configOf, type ValidDelivery } from './valid-deliveries.ts';
import { posted } from '../../helpers/a-delivery.ts';

const nowMs = Date.UTC(2026, 10, 24, 12);

/** One damaged delivery. */
export interface Case {
  delivery: ValidDelivery;
  damages: Damage[];
}

export const cases: fc.Arbitrary<Case> = anyValidDelivery(nowMs - 60_000).chain((delivery) =>
  damagesOf(delivery, 3).map((damages) => ({ delivery, damages })),
);

/** As it is after being written and read again: what a body can hold. */
function read({ integration, topic }: ValidDelivery, body: Record<string, unknown>): Normalised {
  const raw = Buffer.from(integration === 'twilio' ? formOf(body) : JSON.stringify(integration === 'ses' ? inEnvelope(body) : body));
  const receiver = integrations[integration]?.receiver;
  if (receiver === undefined) throw new Error(`no receiver of ${integration}`);
  return receiver.reread(posted({ raw, headers: { 'x-shopify-topic': topic, 'x-wc-webhook-topic': topic }, receivedAtMs: nowMs }), {
    ...aStore,
    ...(integration in configOf ? { config: configOf[integration] } : {}),
  });
}

/** As SNS delivers a message of another service: as a text. */
const inEnvelope = (body: Record<string, unknown>) => ({ Type: 'Notification', MessageId: 'a-message', Message: JSON.stringify(body) });

/** Every field as a form can write it. */
function formOf(body: Record<string, unknown>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return form.toString();
}

function eventOf(normalised: Normalised, type: DomainEvent['type']): DomainEvent | undefined {
  return normalised.kind === 'events' ? normalised.events.find((event) => event.type === type) : undefined;
}

/** Whom and what an event is about. */
function aboutOf(event: DomainEvent) {
  const person = 'person' in event && event.person !== null ? event.person : null;
  return {
    keys: 'keys' in event ? event.keys : [],
    person: person === null ? null : [person.email, person.phone, person.externalId],
    message: 'message' in event ? event.message : null,
  };
}

/**
 * The properties of docs/webhooks.md: whatever happens to a field that does not say whom or what, the event still comes, about the same.
 * @returns what is wrong, or null
 */
export function findFault({ delivery, damages }: Case): string | null {
  const valid = eventOf(read(delivery, delivery.body), delivery.type);
  if (valid === undefined) return 'the valid delivery was not understood';
  const normalised = read(delivery, damaged(delivery, damages));
  const event = eventOf(normalised, delivery.type);
  if (event === undefined) return `${delivery.type} was lost: ${JSON.stringify(normalised).slice(0, 500)}`;
  if (!isDeepStrictEqual(aboutOf(event), aboutOf(valid))) return `it is about others: ${JSON.stringify([aboutOf(event), aboutOf(valid)])}`;
  if (event.occurredAtMs > nowMs || !Number.isSafeInteger(event.occurredAtMs)) return `it lies in the future: ${event.occurredAtMs}`;
  return event.type === 'cart.updated' ? cartFault(event.cart, damages) : null;
}

function cartFault(cart: Extract<DomainEvent, { type: 'cart.updated' }>['cart'], damages: readonly Damage[]): string | null {
  const ofLines = damages.filter(({ path }) => /(?:^|\.)(?:line_items|items)(?:\.\d+(?:\.(?:quantity|price))?)?$/.test(path));
  if (ofLines.length === 0) return cart.items.length >= 2 ? null : `of its lines ${cart.items.length} are left`;
  // An empty list says that the cart was emptied; anything else that is no list of lines says nothing.
  const isEmptied = (value: unknown) => Array.isArray(value) && (value.length === 0 || value.some((line) => typeof line === 'object'));
  const emptied = ofLines.some(({ value, path }) => isEmptied(value) || /\d/.test(path));
  return !emptied && cart.items.length === 0 && cart.totalMinor === 0 ? 'it seems to have been emptied' : null;
}

export function describeCase({ delivery, damages }: Case): string {
  return `${delivery.integration} ${delivery.topic}, ${damages.map(({ path, how, value }) => `${path} ${how === 'remove' ? 'removed' : JSON.stringify(value)?.slice(0, 80)}`).join('; ')}`;
}
