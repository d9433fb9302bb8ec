import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, type Query, unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, type Command, type Context, jsonOption, NotPossibleError, type Row, shown, UsageError } from './command.ts';
import { example, type OpenCart, type PreparedEvent, prepareEvent, type SendableEvent, sendableEvents, type SendOptions } from './send-event.ts';
import { effectLines, effectOf, noteLines, type SeenEnrollment } from './sent-effect.ts';

const text = { type: 'string' } as const;
/** A pending delivery is applied within seconds; what takes longer is said to be pending. */
const pendingForMs = 10_000;

export const send: Command = {
  summary: 'send an event to the store, as its own system would, and say what it did',
  usage: `rekindle send <event> --email you@example.com [options]

events    ${sendableEvents.join(', ')}
person    --email  --phone +436601234567  --name "Mara Sand"  --locale de-AT  --time-zone Europe/Vienna
cart      --value 129.90  --currency EUR  --product "Linen apron" (again for more)  --image URL  --cart ID
order     --value  --currency  --cart ID  --order ID
lead      --interest TEXT  --text TEXT  --value  --currency  --lead ID
others    --text (message.received)  --channel  --wording (contact.opted_in)  --final (contact.opted_out)
          --data JSON        the event's data as you write it, of any type (docs/webhooks.md)
          --connection ID    which connection; the store's first one of the integration generic, unless you say so
          --dry-run          print what would be sent

It is no rehearsal: what the event does is done. An order finds the open cart of the address that it names.
The exit status is 1 where it could not be read or had no effect.`,
  example: 'rekindle send cart.updated --email ada@example.com --value 129.90',
  takes: 1,
  options: {
    ...{ email: text, phone: text, name: text, locale: text, 'time-zone': text },
    ...{ value: text, currency: text, image: text, cart: text, order: text, lead: text, interest: text },
    ...{ text, channel: text, wording: text, data: text, connection: text },
    product: { type: 'string', multiple: true },
    final: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  async run(context) {
    const { store, options } = context;
    const openCart = options['data'] === undefined && options['cart'] === undefined ? await openCartOf(store, options) : null;
    const event = readEvent(context, openCart);
    if (options['dry-run'] === true) {
      const data = { type: event.type, data: event.data };
      return { data, lines: [JSON.stringify(data, null, 2)] };
    }
    const connection = typeof options['connection'] === 'string' ? options['connection'] : await firstConnection(store);
    const searches = searchesOf(options, event);
    const before = await enrollmentsOf(store, searches);
    const sent = unwrap(await store.connections.send(connection, asGiven({ type: event.type, data: event.data })));
    const delivery = await settled(store, sent);
    const after = await enrollmentsOf(store, searches);
    return report(store, { event, sent, delivery, before, after, search: searches[0] ?? null, email: option(options, 'email') });
  },
};

type Sending = Omit<PreparedEvent, 'type'> & { type: string };

function readEvent({ args: [type], options }: Context, openCart: OpenCart | null): Sending {
  if (type === undefined) throw new UsageError('Which event?');
  const data = jsonOption(options, 'data');
  if (data !== undefined)
    return { type, data, cart: option(options, 'cart') ?? null, order: option(options, 'order') ?? null, lead: option(options, 'lead') ?? null };
  const event = sendableEvents.find((name) => name === type);
  if (event === undefined)
    throw new UsageError(`${type} is no event that can be made up here: give it as --data, or use one of ${sendableEvents.join(', ')}.`);
  return prepareEvent(optionsOf(event, options), { openCart, newId: () => randomBytes(5).toString('hex'), shopUrl: demoShopUrl() });
}

function option(options: Context['options'], name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

function optionsOf(event: SendableEvent, options: Context['options']): SendOptions {
  const of = (name: string) => option(options, name);
  const products = options['product'];
  return {
    event,
    ...{ email: of('email'), phone: of('phone'), name: of('name'), locale: of('locale'), timeZone: of('time-zone') },
    ...{ value: of('value'), currency: of('currency'), image: of('image'), cart: of('cart'), order: of('order') },
    ...{ lead: of('lead'), interest: of('interest'), text: of('text'), channel: of('channel'), wording: of('wording') },
    products: Array.isArray(products) ? products : [],
    final: options['final'] === true,
  };
}

/** Where `npm start` runs: the pages of its demo shop. */
function demoShopUrl(): string | null {
  const file = join(process.cwd(), '.rekindle', 'addresses.json');
  if (!existsSync(file)) return null;
  try {
    const { shop } = JSON.parse(readFileSync(file, 'utf8')) as { shop?: unknown };
    return typeof shop === 'string' ? shop : null;
  } catch {
    return null;
  }
}

async function firstConnection(store: Client): Promise<string> {
  for await (const { id, integration, state } of store.connections.all({ limit: 500 }))
    if (integration === 'generic' && state === 'connected') return id;
  throw new NotPossibleError(
    'The store has no connection of the integration generic: make one with rekindle connections create generic --name "Tests".',
  );
}

type Searches = readonly Query<'GET /api/explain'>[];

/** How the API finds whom and what the event is about: each is asked by itself, because several narrow a search down. */
function searchesOf(options: Context['options'], { cart, order, lead }: Pick<PreparedEvent, 'cart' | 'order' | 'lead'>): Searches {
  const known = { subject_id: cart ?? lead, external_id: order, email: options['email'], phone: options['phone'] };
  return Object.entries(known).flatMap(([name, value]) => (typeof value === 'string' ? [{ [name]: value }] : []));
}

async function enrollmentsOf(store: Client, searches: Searches): Promise<(SeenEnrollment & Row)[]> {
  const found = new Map<string, SeenEnrollment & Row>();
  for (const search of searches) {
    // An address that cannot be one finds nobody; the event's own answer says so.
    const page = await store.enrollments.list({ limit: 20, ...search });
    if (page.error?.status === 400) continue;
    for (const enrollment of unwrap(page).data) found.set(enrollment.id, enrollment);
  }
  return [...found.values()].toSorted((a, b) => b.id.localeCompare(a.id));
}

/** The cart that the person left and has not bought. */
async function openCartOf(store: Client, options: Context['options']): Promise<OpenCart | null> {
  const enrollments = await enrollmentsOf(
    store,
    searchesOf({ email: options['email'], phone: options['phone'] }, { cart: null, order: null, lead: null }),
  );
  for (const enrollment of enrollments) {
    const cart = (enrollment['cart'] ?? null) as Row | null;
    const ids = (cart?.['external_ids'] ?? []) as Row[];
    const own = ids.find((id) => id['integration'] === 'generic');
    if (cart?.['state'] !== 'open' || own === undefined) continue;
    const [value, currency] = [cart['total_price'], cart['currency']];
    return { id: shown(own['value']), value: typeof value === 'string' ? value : null, currency: typeof currency === 'string' ? currency : null };
  }
  return null;
}

/** What became of the delivery; one that is pending is waited for. */
async function settled(store: Client, sent: Row): Promise<Row> {
  for (const untilMs = Date.now() + pendingForMs; ; ) {
    const [found] = unwrap(await store.deliveries.list({ delivery_id: shown(sent['delivery_id']) })).data;
    if (found === undefined) return { state: sent['status'], notes: sent['notes'] };
    if (found['state'] !== 'pending' || Date.now() > untilMs) return found;
    await new Promise((rested) => setTimeout(rested, 500));
  }
}

interface Effect {
  event: Sending;
  sent: Row;
  delivery: Row;
  before: SeenEnrollment[];
  after: SeenEnrollment[];
  search: Query<'GET /api/explain'> | null;
  email: string | undefined;
}

async function report(store: Client, { event, sent, delivery, before, after, search, email }: Effect): Promise<Answer> {
  const state = shown(delivery['state']);
  const notes = (delivery['notes'] ?? []) as Row[];
  const { began, ended } = effectOf({ before, after });
  const ids = { cart: event.cart, order: event.order, lead: event.lead };
  const data = {
    type: event.type,
    delivery_id: sent['delivery_id'],
    state,
    notes,
    ...ids,
    began: began.map((e) => e.id),
    ended: ended.map((e) => e.id),
  };
  const named = Object.entries(ids).flatMap(([what, id]) => (id === null ? [] : [`${what} ${id}`]));
  const lines = [`${event.type}${named.length === 0 ? '' : ` (${named.join(', ')})`}: ${state}`];
  if (notes.length > 0) lines.push('Not read as it came:', ...noteLines(notes));
  if (state === 'quarantined') {
    return { data, lines: [...lines, 'It could not be read and had NO EFFECT. It is kept: rekindle quarantine says why.'], failed: true };
  }
  if (state === 'ignored') return { data, lines: [...lines, 'It was accepted and had NO EFFECT: nothing acts on such an event.'], failed: true };
  if (state === 'pending') lines.push('It is stored and takes effect in a moment; what follows is how things stand until then.');
  const quiet = event.cart !== null && event.order === null && search !== null ? await whyQuiet(store, search) : null;
  lines.push(...effectLines({ before, after, quiet }));
  if (event.type === 'cart.updated') lines.push(`Then buy it: ${example('order.placed', email)}`);
  return { data, lines };
}

async function whyQuiet(store: Client, search: Query<'GET /api/explain'>): Promise<string | null> {
  const found = unwrap(await store.explain.find(search));
  return found.subjects_without_sequence[0]?.sentence ?? null;
}
