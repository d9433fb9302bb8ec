import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { type BenchStack, openStack } from '../../bench/stack.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { freePort } from '../../local/ports.ts';
import { createDeps } from '../../operations/create-deps.ts';
import { type ProvisionedTenant, provisionTenant } from '../../operations/provision-tenant.ts';
import { type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';

/** A shop whose API is fuzzed: two processes on a Postgres and a Temporal of their own, with enrollments and links that exist. */
export interface FuzzedShop {
  url: string;
  apiKey: string;
  /** Of one that goes on and one that has ended. */
  enrollments: string[];
  /** Of links in their emails. */
  tokens: string[];
  connections: Record<'generic' | 'shopify', { id: string; secret: string }>;
  close(): Promise<void>;
}

// The first email after six seconds; the last one after four minutes, when the run is over.
const timeScale = 1_200;

export async function openFuzzedShop(): Promise<FuzzedShop> {
  const stack = await openStack();
  const smtp = await startSmtpServer();
  const close = async () => {
    await stack.close();
    await smtp.close();
  };
  try {
    const port = await freePort();
    const tenant = await provision(stack);
    const url = `http://127.0.0.1:${port}`;
    await startProcesses(stack, smtp, port, url);
    return { url, apiKey: tenant.apiKey ?? '', connections: connectionsOf(tenant), ...(await leaveCarts(url, tenant, smtp)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function provision(stack: BenchStack): Promise<ProvisionedTenant> {
  const deps = createDeps({
    databaseUrl: stack.databaseUrl,
    masterKey: stack.masterKey,
    publicUrl: 'http://localhost',
    smtpUrl: null,
    timeScale: null,
    log: pino({ level: 'silent' }),
    applicationName: 'fuzz',
  });
  try {
    return await provisionTenant(deps, {
      slug: 'fuzzed',
      name: 'Fuzzed Store',
      timeScale,
      synthetic: true,
      // Requests come as fast as they are answered.
      settings: { requestsPerMinute: 600_000, quietHours: null, legalHours: false, consentLaw: 'off', catchUpPerMinute: null, caps: [] },
    });
  } finally {
    await deps.db.close();
  }
}

async function startProcesses(stack: BenchStack, smtp: SmtpServer, port: number, url: string): Promise<void> {
  const env = {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    SMTP_URL: smtp.url,
    PUBLIC_URL: url,
    // A 5xx is logged with its cause, which schemathesis cannot see.
    LOG_LEVEL: 'error',
  };
  await stack.spawn('api/server.ts', { ...env, PORT: String(port) });
  await stack.spawn('worker/main.ts', env);
}

function connectionsOf({ webhooks }: ProvisionedTenant): FuzzedShop['connections'] {
  const connection = ({ path, secret }: { path: string; secret: string }) => ({ id: path.split('/').at(-1) ?? '', secret });
  return { generic: connection(webhooks.generic), shopify: connection(webhooks.shopify) };
}

/** Two carts that are left and mailed about, of which one is bought: every kind of row that the API shows exists then. */
async function leaveCarts(url: string, tenant: ProvisionedTenant, smtp: SmtpServer): Promise<Pick<FuzzedShop, 'enrollments' | 'tokens'>> {
  const ada = await leaveCart(url, tenant, smtp, 'ada');
  const bo = await leaveCart(url, tenant, smtp, 'bo');
  await post(url, tenant, 'order.placed', { cart_id: 'cart-bo', order: { id: 'order-bo', currency: 'EUR', total: '129.90' } });
  // To unsubscribe by the link of the one that goes on would end all that there is to see.
  return { enrollments: [ada.enrollment, bo.enrollment], tokens: [ada.open, ada.click, bo.click, bo.unsubscribe] };
}

async function leaveCart(url: string, tenant: ProvisionedTenant, smtp: SmtpServer, name: string) {
  const cart = {
    id: `cart-${name}`,
    currency: 'EUR',
    total: '129.90',
    items: [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90' }],
    restore_url: `https://shop.example.com/restore/${name}`,
  };
  await post(url, tenant, 'cart.updated', { cart, contact: { email: `${name}@example.com`, first_name: 'Ada' } });
  const { raw } = await smtp.waitForMail((mail) => mail.envelope.to.includes(`${name}@example.com`), 300_000);
  const text = raw.toString('latin1').replaceAll('=\r\n', '');
  const token = (path: string) => new RegExp(`/${path}/([\\w-]{64})`).exec(text)?.[1] ?? '';
  const enrollment = /Message-ID:\s*<([0-9a-f-]{36})\./i.exec(text)?.[1] ?? '';
  const found = { enrollment, open: token('o'), click: token('c'), unsubscribe: token('u') };
  if (Object.values(found).includes('')) throw new Error(`the first email lacks a link or an id: ${JSON.stringify(found)}`);
  return found;
}

async function post(url: string, { webhooks }: ProvisionedTenant, type: string, data: unknown): Promise<void> {
  const { path, secret } = webhooks.generic;
  const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  const [id, seconds] = [randomUUID(), Math.floor(Date.now() / 1_000)];
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signStandardWebhook(secret, id, seconds, body),
  };
  const response = await fetch(url + path, { method: 'POST', headers, body });
  if (response.status !== 200) throw new Error(`${type} was answered ${response.status}: ${await response.text()}`);
}
