import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { askApi, reasonOf } from './ask-api.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { localDir, readJson, writeJson } from './local-files.ts';
import { example, nothingRemembered, prepareEvent, type Remembered, type SendableEvent, type SendOptions, sendableEvents } from './send-event.ts';
import {
  effectLines,
  noteLines,
  problemLines,
  type SeenDelivery,
  seenDeliveries,
  type SeenEnrollment,
  seenEnrollments,
  seenExplanations,
  seenQuarantine,
} from './sent-effect.ts';
import { StartError } from './start-error.ts';
import { post, signAsShopify, signGeneric, type SignedDelivery } from './webhook.ts';

const usage = `npm run send -- <event> --email you@example.com [options]

events    ${sendableEvents.join(', ')}
person    --email  --phone +436601234567  --name "Mara Sand"  --locale de-AT  --time-zone Europe/Vienna
cart      --value 129.90  --currency EUR  --product "Linen apron" (again for more)  --image URL  --cart ID
order     --value  --currency  --cart ID  --order ID
others    --text (message.received)  --channel  --wording (contact.opted_in)  --final (contact.opted_out)
          --via shopify   as Shopify's webhook instead of Rekindle's own format
          --dry-run       print what would be sent

The cart of an address is remembered: order.placed after cart.updated finds it.
Afterwards the API is asked what the event did. The exit status is 1 where it could not be read or had no effect.`;

const text = { type: 'string' } as const;
const memoryFile = 'send.json';
const memory = z.record(
  z.string(),
  z.object({ cart: z.string().nullable(), order: z.string().nullable(), value: z.string().nullable(), currency: z.string().nullable() }),
);
const addressesShape = z.object({ live: z.string(), mailbox: z.string().nullable(), temporal: z.string().nullable(), shop: z.string().nullable() });

const idOf = ({ headers }: SignedDelivery) => headers['webhook-id'] ?? headers['x-shopify-webhook-id'] ?? '';
const answered = z.object({ status: z.string() });
/** A pending delivery is applied within seconds; if it takes longer, it is reported as pending. */
const pendingForMs = 10_000;

try {
  await send(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function send(args: string[]): Promise<void> {
  const { options, via, dryRun } = parse(args);
  const credentials = readCredentials(localDir);
  if (credentials === null) throw new StartError('There are no credentials yet. Run npm start first; it writes .rekindle/credentials.json.');
  const addresses = addressesShape.safeParse(readJson(localDir, 'addresses.json')).data ?? {
    live: credentials.apiUrl,
    mailbox: null,
    temporal: null,
    shop: null,
  };

  const everyone = memory.safeParse(readJson(localDir, memoryFile)).data ?? {};
  const key = options.email ?? options.phone ?? 'anonymous';
  const nowMs = Date.now();
  const context = { newId: () => randomBytes(5).toString('hex'), shopUrl: addresses.shop };
  const event = prepareEvent(options, everyone[key] ?? nothingRemembered, context, nowMs);
  if (via === 'shopify' && event.shopify === null) throw new StartError(`Shopify has no webhook for ${options.event}: leave out --via shopify.`);
  const delivery =
    via === 'shopify' && event.shopify !== null
      ? signAsShopify(credentials.webhooks.shopify, event.shopify, nowMs)
      : signGeneric(credentials.webhooks.generic, event.generic, nowMs);
  if (dryRun) {
    console.log(JSON.stringify({ url: delivery.url, headers: delivery.headers, body: JSON.parse(delivery.body) }, null, 2));
    return;
  }

  const cart = options.cart ?? event.remember.cart ?? everyone[key]?.cart ?? null;
  const search = searchesOf(options, { cart, order: event.remember.order });
  const before = await enrollmentsOf(credentials, search);
  const answer = await post(delivery).catch((error: unknown) => {
    throw new StartError(`${new URL(delivery.url).origin} does not answer (${reasonOf(error)}). Is npm start running?`);
  });
  if (answer.status >= 300) throw new StartError(refusal(answer.status, answer.text));
  const became = await readDelivery(credentials, delivery);
  const state = became?.state ?? stateIn(answer.text);
  console.log(`${answer.status} in ${answer.tookMs} ms: ${options.event}${describe(options.event, event.remember)}, ${state}`);
  if (became !== null && became.notes.length > 0) console.log(['Not read as it came:', ...noteLines(became.notes)].join('\n'));
  if (state === 'quarantined') {
    const reason = await whySetAside(credentials, delivery);
    throw new StartError(
      `It could not be read and had NO EFFECT${reason}. It is kept: npx rekindle quarantine shows it, and reads it again once it is corrected.`,
    );
  }
  if (state === 'ignored') throw new StartError('It was accepted and had NO EFFECT: nothing acts on such an event.');
  writeJson(localDir, memoryFile, { ...everyone, [key]: event.remember });
  if (state === 'pending') console.log('It is stored and takes effect in a moment; what follows is how things stand until then.');
  const after = await enrollmentsOf(credentials, search);
  const quiet = options.event === 'cart.updated' ? await whyQuiet(credentials, search) : null;
  console.log(effectLines({ before, after, quiet }).join('\n'));
  console.log(next(options, addresses));
}

/** Searches for the person and the subject of the event, one by one, because several parameters narrow a search down. */
function searchesOf({ email, phone }: SendOptions, { cart, order }: Pick<Remembered, 'cart' | 'order'>): string[] {
  const known = { cart_id: cart, external_id: order, email, phone };
  return Object.entries(known).flatMap(([name, value]) => (value == null ? [] : [`${name}=${encodeURIComponent(value)}`]));
}

async function enrollmentsOf(credentials: Credentials, searches: readonly string[]): Promise<SeenEnrollment[]> {
  const found = new Map<string, SeenEnrollment>();
  for (const search of searches) {
    const { status, body } = await askApi(credentials, `/api/enrollments?limit=20&${search}`);
    // An invalid address finds nobody; the answer to the event says why.
    if (status === 200) for (const e of seenEnrollments.parse(body)) found.set(e.id, e);
  }
  return [...found.values()].toSorted((a, b) => b.id.localeCompare(a.id));
}

async function whyQuiet(credentials: Credentials, searches: readonly string[]): Promise<string | null> {
  const [search] = searches;
  if (search === undefined) return null;
  const { status, body } = await askApi(credentials, `/api/explain?${search}`);
  return status === 200 ? (seenExplanations.parse(body).carts_without_sequence[0]?.sentence ?? null) : null;
}

/** What became of the delivery; one that is pending is waited for. @returns null where the API does not know it */
async function readDelivery(credentials: Credentials, delivery: SignedDelivery): Promise<SeenDelivery | null> {
  for (const untilMs = Date.now() + pendingForMs; ; ) {
    const { status, body } = await askApi(credentials, `/api/deliveries?delivery_id=${encodeURIComponent(idOf(delivery))}`);
    const [found] = status === 200 ? seenDeliveries.parse(body) : [];
    if (found === undefined || found.state !== 'pending' || Date.now() > untilMs) return found ?? null;
    await new Promise((rested) => setTimeout(rested, 500));
  }
}

async function whySetAside(credentials: Credentials, delivery: SignedDelivery): Promise<string> {
  const { status, body } = await askApi(credentials, `/api/quarantine?delivery_id=${encodeURIComponent(idOf(delivery))}`);
  const [found] = status === 200 ? seenQuarantine.parse(body) : [];
  return found === undefined ? '' : `: ${found.reason}`;
}

function stateIn(text: string): string {
  try {
    return answered.parse(JSON.parse(text)).status;
  } catch {
    return 'accepted';
  }
}

function refusal(status: number, text: string): string {
  const lines = problemLines(jsonOr(text)) ?? [text.slice(0, 300)];
  const advice =
    status === 401
      ? ['The secret does not fit: start Rekindle again, it renews .rekindle/credentials.json.']
      : status === 422
        ? ['It had NO EFFECT. It is kept: npx rekindle quarantine shows it, and reads it again once it is corrected.']
        : [];
  return [`${status}: ${lines[0] ?? ''}`, ...lines.slice(1), ...advice].join('\n');
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function parse(args: string[]): { options: SendOptions; via: 'generic' | 'shopify'; dryRun: boolean } {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(args);
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message.split('.')[0] : String(error)}.\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  const event = sendableEvents.find((name) => name === positionals[0]);
  if (values.help) throw new StartError(usage);
  if (event === undefined || positionals.length > 1)
    throw new StartError(`${positionals[0] === undefined ? 'Which event?' : `${positionals.join(' ')} is no event.`}\n\n${usage}`);
  const via = values.via ?? 'generic';
  if (via !== 'generic' && via !== 'shopify') throw new StartError(`--via ${via} is unknown: use generic or shopify.`);
  const { product = [], 'time-zone': timeZone, final = false, 'dry-run': dryRun = false, via: _via, help: _help, ...rest } = values;
  return { options: { ...rest, event, timeZone, products: product, final }, via, dryRun };
}

function read(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...{ email: text, phone: text, name: text, locale: text, 'time-zone': text },
      ...{ value: text, currency: text, image: text, cart: text, order: text },
      ...{ text, channel: text, wording: text, via: text },
      product: { type: 'string', multiple: true },
      final: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
}

function describe(event: SendableEvent, remember: Remembered): string {
  if (event === 'cart.updated') return ` (cart ${remember.cart}, ${remember.value} ${remember.currency})`;
  return event.startsWith('order.') ? ` (order ${remember.order})` : '';
}

function next(options: SendOptions, addresses: z.infer<typeof addressesShape>): string {
  const who = options.email === undefined ? '' : ` --email ${options.email}`;
  const links = [
    `story ${addresses.live}`,
    addresses.mailbox && `emails ${addresses.mailbox}`,
    addresses.temporal && `workflow ${addresses.temporal}`,
  ];
  const look = `Look at: ${links.filter(Boolean).join('   ')}`;
  return options.event === 'cart.updated' ? `${look}\nThen buy it: ${example('order.placed').replace(' --email you@example.com', who)}` : look;
}
