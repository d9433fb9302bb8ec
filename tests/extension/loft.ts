import { z } from 'zod';
import type { ChannelContent } from '../../content/channels/channel-content.ts';
import type { MessageChannel } from '../../domain/channels/channel.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { Integration, Normalised, Sender, SendOutcome } from '../../integrations/port.ts';

interface PigeonPayload {
  channel: 'pigeon';
  loft: string;
  scroll: string;
}

/** A channel that the product does not know. */
export const pigeon: MessageChannel<PigeonPayload> = {
  noun: 'pigeon',
  address: 'email',
  purpose: 'marketing',
  disturbs: true,
  carriesCopy: true,
  addressOf: ({ loft }) => loft,
};

const compiled = z.object({ scroll: z.string() });
// The types of the product's channels are a closed list; at run time the registries are open.
export const pigeonContent = {
  suffix: '.pigeon',
  compile: async ({ text }: { text: string }) => ({ scroll: text.trim() }),
  read: (stored: unknown) => compiled.parse(stored),
  compose: ({ scroll }: z.infer<typeof compiled>, { store }: { store: { name: string } }, to: string): PigeonPayload => ({
    channel: 'pigeon',
    loft: to,
    scroll: `${store.name}: ${scroll}`,
  }),
} as unknown as ChannelContent;

const body = z.object({
  id: z.string(),
  what: z.enum(['missed', 'answered']),
  email: z.string(),
  service: z.string().nullable().default(null),
  page: z.string().nullable().default(null),
});
const nothingElse = { phone: null, externalId: null };
const details = { firstName: null, lastName: null, locale: null, timeZone: null, country: null, region: null, orderCount: null };

function read(raw: Buffer, receivedAtMs: number): Normalised {
  const { id, what, email, service, page } = body.parse(JSON.parse(raw.toString()));
  const person = { email, ...nothingElse };
  const event: DomainEvent =
    what === 'answered'
      ? { type: 'message.received', occurredAtMs: receivedAtMs, person, channel: 'email', text: 'Coo' }
      : {
          type: 'subject.reported',
          occurredAtMs: receivedAtMs,
          kind: 'booking',
          keys: [{ kind: 'booking', value: id }],
          person: { ...person, ...details, lifetimeValueMinor: null, consents: [] },
          subject: { createdAtMs: receivedAtMs, currency: 'EUR', valueMinor: 7_500, details: { service, page } },
        };
  return { kind: 'events', topic: what, events: [event], notes: [] };
}

/** Everything sent so far, over all tests of a file. */
export const flown: PigeonPayload[] = [];

const landed = (): SendOutcome => ({ kind: 'accepted', providerMessageId: String(flown.length), response: 'landed' });

/** A sender of pigeons. @param outcome - what becomes of each flight */
export function pigeonSender(account: string, outcome: () => SendOutcome = landed): Sender {
  return {
    channel: 'pigeon',
    account,
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    open: async () => ({
      send: async (payload: PigeonPayload) => {
        flown.push(payload);
        return outcome();
      },
      close() {},
    }),
  } as unknown as Sender;
}

/** A provider that the product does not know: it reports bookings and answers, and lets pigeons fly. */
export const loft: Integration = {
  name: 'loft',
  config: z.object({ roof: z.string() }),
  newSecret: () => 'coo',
  receiver: {
    topics: ['missed', 'answered'],
    readsHeaders: [],
    topicHeader: null,
    answersUnreadable: 'refuse',
    receive: ({ headers, raw, receivedAtMs }, secrets) =>
      secrets.some((secret) => secret === headers['x-loft-secret'])
        ? { ...read(raw, receivedAtMs), dedupeKey: null }
        : { kind: 'refused', reason: 'bad_signature' },
    reread: ({ raw, receivedAtMs }) => read(raw, receivedAtMs),
  },
  sender: (config) => pigeonSender(z.object({ roof: z.string() }).parse(config).roof),
};
