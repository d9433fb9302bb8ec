import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readCredentials } from './credentials.ts';
import { localDir, readJson, writeJson } from './local-files.ts';
import { example, nothingRemembered, prepareEvent, type Remembered, type SendableEvent, type SendOptions, sendableEvents } from './send-event.ts';
import { StartError } from './start-error.ts';
import { post, signAsShopify, signGeneric } from './webhook.ts';

const usage = `npm run send -- <event> --email you@example.com [options]

events    ${sendableEvents.join(', ')}
person    --email  --phone +436601234567  --name "Mara Sand"  --locale de-AT  --time-zone Europe/Vienna
cart      --value 129.90  --currency EUR  --product "Linen apron" (again for more)  --image URL  --cart ID
order     --value  --currency  --cart ID  --order ID
others    --text (message.received)  --channel  --wording (contact.opted_in)  --final (contact.opted_out)
          --via shopify   as Shopify's webhook instead of Rekindle's own format
          --dry-run       print what would be sent

The cart of an address is remembered: order.placed after cart.updated finds it.`;

const text = { type: 'string' } as const;
const memoryFile = 'send.json';
const memory = z.record(
  z.string(),
  z.object({ cart: z.string().nullable(), order: z.string().nullable(), value: z.string().nullable(), currency: z.string().nullable() }),
);
const addressesShape = z.object({ live: z.string(), mailbox: z.string().nullable(), temporal: z.string().nullable(), shop: z.string().nullable() });

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

  const answer = await post(delivery).catch((error: unknown) => {
    throw new StartError(`${new URL(delivery.url).origin} does not answer (${reasonOf(error)}). Is npm start running?`);
  });
  if (answer.status >= 300)
    throw new StartError(
      `${answer.status} ${answer.text}${answer.status === 401 ? '\nThe secret does not fit: start Rekindle again, it renews .rekindle/credentials.json.' : ''}`,
    );
  writeJson(localDir, memoryFile, { ...everyone, [key]: event.remember });
  console.log(`${answer.status} in ${answer.tookMs} ms: ${options.event}${describe(options.event, event.remember)} ${answer.text.slice(0, 300)}`);
  console.log(next(options, addresses));
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
  const hints = {
    'cart.updated': `Then buy it: ${example('order.placed').replace(' --email you@example.com', who)}`,
    'order.placed': 'The cart’s sequence has ended as purchased.',
    'order.cancelled': 'A cancelled order does not start the sequence again.',
    'contact.updated': 'The next mail uses what is known now.',
    'message.received': 'A reply ends every sequence of this person.',
    'contact.opted_out': 'Nothing more is sent to this person on that channel.',
    'contact.opted_in': 'The next abandoned cart may be written about again.',
  };
  const links = [
    `story ${addresses.live}`,
    addresses.mailbox && `mails ${addresses.mailbox}`,
    addresses.temporal && `workflow ${addresses.temporal}`,
  ];
  return `Look at: ${links.filter(Boolean).join('   ')}\n${hints[options.event]}`;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error instanceof Error ? error.message : String(error);
}
