import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPresetCopy } from '../content/preset-copy.ts';
import { presetsFolder } from '../operations/publish-presets.ts';
import { compilePreset } from '../operations/publish-sequence.ts';
import { readCredentials, writeCredentials } from './credentials.ts';
import { compileWithModelStep } from './demo-store/model-step.ts';
import type { LeadTargets } from './demo-leads/demo-leads.ts';
import type { ShopTargets } from './demo-store/shop-events.ts';
import type { ProvisionedTenant } from '../operations/provision-tenant.ts';
import { type Provisioning, withProvisioning } from './provisioning.ts';
import { localModelName } from './model/server.ts';
import type { Providers } from './providers/providers.ts';
import { connectLeadAds, connectStandIns, isStandIn, type StandInAccess, type StandInTargets } from './stand-in-connections.ts';
import { StartError } from './start-error.ts';

const store = { slug: 'store', name: 'My store', timeScale: 1, synthetic: false, settings: {} };
const demo = {
  slug: 'demo',
  name: 'Demo store (synthetic)',
  synthetic: true,
  renewApiKey: false,
  settings: {
    storeName: 'Hearth & Moss',
    senderName: 'Hearth & Moss',
    senderAddress: 'hello@demo.example.com',
    postalAddress: 'Hearth & Moss (a demo), 1 Example Street, 12345 Example City',
    shippingNote: 'Free shipping on every order of this demo.',
    returnsNote: 'Thirty days to change your mind.',
    // The stand-in for a model costs nothing.
    modelPrices: { input: 0, output: 0 },
    // Its shoppers are invented; not all of its shops report consent.
    consentLaw: 'off' as const,
  },
};

const leads = {
  slug: 'leads',
  name: 'Leads of ads (synthetic)',
  synthetic: true,
  settings: {
    storeName: 'Hearth & Moss Homes',
    senderName: 'Hearth & Moss Homes',
    senderAddress: 'hello@homes.example.com',
    postalAddress: 'Hearth & Moss Homes (a demo), 2 Example Street, 12345 Example City',
    currency: 'USD',
    // Its leads are invented.
    requireConsent: [],
    consentLaw: 'off' as const,
  },
};

/** What the synthetic people need: the demo shop's pages, and the stand-ins. */
export interface DemoWorld {
  shopUrl: string;
  timeScale: number;
  phoneUrl: string;
  modelUrl: string;
  providers: Providers;
}

/**
 * Make sure that the real-time tenant exists and `.rekindle/credentials.json` opens it, and the demo tenants where they are wanted.
 * A demo tenant starts afresh: enrollments that its last run left open end as `demo_restarted`.
 * @param world - null: no demo stores this time, and no stand-ins
 * @returns where the demos' webhooks go; null without a demo
 */
export async function provisionTenants(options: {
  databaseUrl: string;
  masterKey: string;
  apiUrl: string;
  dir: string;
  world: DemoWorld | null;
}): Promise<{ demo: (ShopTargets & { onsiteKey: string }) | null; leads: LeadTargets | null }> {
  const { apiUrl, dir, world, masterKey } = options;
  const before = readCredentials(dir);
  const own = before?.tenant === store.slug ? before.apiKey : null;
  return withProvisioning(options, async (provisioning) => {
    const tenant = await provisioning.provision({ ...store, renewApiKey: own === null });
    const apiKey = tenant.apiKey ?? own;
    if (apiKey === null) throw new StartError(`The tenant "${store.slug}" exists, but its API key is unknown here.`);
    const access = (tenantId: string, slug: string, { providers, phoneUrl }: DemoWorld): StandInAccess => ({
      ...{ provisioning, tenantId, store: slug, apiUrl, seed: masterKey, providers, phoneUrl },
    });
    const webhooks = await sourcesOf(provisioning, tenant.tenantId, apiUrl, world === null ? null : access(tenant.tenantId, store.slug, world));
    const credentials = { apiUrl, apiKey, tenant: store.slug, webhooks: { ...targetsOf(tenant, apiUrl), ...webhooks } };
    const leadsKey = before?.demoKeys?.[leads.slug] ?? null;
    writeCredentials(dir, leadsKey === null ? credentials : { ...credentials, demoKeys: { [leads.slug]: leadsKey } });
    if (world === null) return { demo: null, leads: null };
    const shop = await provisionShop(provisioning, apiUrl, world);
    const made = await provisionLeads(provisioning, { apiUrl, world, apiKey: leadsKey }, (tenantId) => access(tenantId, leads.slug, world));
    writeCredentials(dir, { ...credentials, demoKeys: { [leads.slug]: made.apiKey } });
    return { demo: shop, leads: made.targets };
  });
}

/**
 * Where leads of ads, their conversions, and what their providers report come in at the store, so that the whole way can be tried by hand. As soon as the
 * store sends by a connection of its own, its messages go there: the stand-ins are disconnected.
 * @param access - null: there are no stand-ins
 */
async function sourcesOf(provisioning: Provisioning, tenantId: string, apiUrl: string, access: StandInAccess | null) {
  const wish = { integration: 'keitaro', name: `${store.name} (keitaro)`, config: (known: unknown) => known ?? {} };
  const tracker = await provisioning.standIn(tenantId, wish);
  const meta = await connectLeadAds(access ?? { provisioning, tenantId, store: store.slug, apiUrl, providers: null }, `${store.name} (meta)`);
  const own = await provisioning.sendsByItself(tenantId, isStandIn);
  if (access === null || own) await provisioning.disconnect(tenantId, isStandIn);
  const { botToken: _, ...standIns }: Partial<StandInTargets> = access === null || own ? {} : await connectStandIns(access);
  return { ...(meta === null ? {} : { meta }), keitaro: { url: `${apiUrl}${tracker.path}` }, ...standIns };
}

async function provisionShop({ provision, connect, publish, restartDemo }: Provisioning, apiUrl: string, world: DemoWorld) {
  const shop = await provision({ ...demo, timeScale: world.timeScale, settings: { ...demo.settings, storeUrl: world.shopUrl } });
  // Everything but the address is made up: the stand-in asks for no account.
  const config = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'demo', from: '+12025550100', baseUrl: world.phoneUrl };
  await connect(shop.tenantId, { integration: 'twilio', name: 'Texts of the demo store', config, secrets: [] });
  // Any key is welcome there, and the name of the model says what it is.
  const model = { apiKey: 'demo', baseUrl: world.modelUrl, model: localModelName };
  await connect(shop.tenantId, { integration: 'openai', name: 'Stand-in for a language model (synthetic)', config: model, secrets: [] });
  await publish(shop.tenantId, await compileWithModelStep());
  const woo = await connect(shop.tenantId, { integration: 'woocommerce', name: `${demo.name} (woocommerce)`, config: null, secrets: [] });
  const pages = { integration: 'onsite', name: 'Pages of the demo store', config: { origins: originsOf(world.shopUrl) }, secrets: [] };
  const { id: onsiteKey } = await connect(shop.tenantId, pages);
  await restartDemo(shop.tenantId);
  return { ...targetsOf(shop, apiUrl), woocommerce: { url: `${apiUrl}${woo.path}`, secret: woo.secret ?? '' }, onsiteKey };
}

/** The store whose leads come by ads, into one campaign with the preset `lead-nurture`. */
async function provisionLeads(
  provisioning: Provisioning,
  { apiUrl, world, apiKey: known }: { apiUrl: string; world: DemoWorld; apiKey: string | null },
  access: (tenantId: string) => StandInAccess,
): Promise<{ apiKey: string; targets: LeadTargets }> {
  const settings = { ...leads.settings, storeUrl: world.shopUrl };
  const { tenantId, apiKey: fresh } = await provisioning.provision({ ...leads, settings, timeScale: world.timeScale, renewApiKey: known === null });
  const apiKey = fresh ?? known;
  if (apiKey === null) throw new StartError(`The tenant "${leads.slug}" exists, but its API key is unknown here.`);
  const yaml = await readFile(join(presetsFolder(), 'lead-nurture.yaml'), 'utf8');
  const copy = await loadPresetCopy(join(presetsFolder(), 'lead-nurture'));
  await provisioning.publish(tenantId, await compilePreset({ file: 'sequences/lead-nurture.yaml', yaml, copy }));
  const autoAssign = { sources: ['META'], maxLeads: null };
  const campaign = { name: 'Flats by the river (synthetic)', autoAssign, sequence: 'lead-nurture', schedule: null, rate: null, call: null };
  await provisioning.campaign(tenantId, campaign);
  await connectLeadAds(access(tenantId), `${leads.name} (meta)`);
  const tracker = await provisioning.standIn(tenantId, { integration: 'keitaro', name: `${leads.name} (keitaro)`, config: (known) => known ?? {} });
  const { botToken } = await connectStandIns(access(tenantId));
  await provisioning.restartDemo(tenantId);
  return { apiKey, targets: { slug: leads.slug, tracker: { url: `${apiUrl}${tracker.path}` }, botToken } };
}

/** The page is reached by either name of this machine. */
function originsOf(shopUrl: string): string[] {
  const { port } = new URL(shopUrl);
  return [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
}

function targetsOf({ webhooks }: ProvisionedTenant, apiUrl: string): Omit<ShopTargets, 'woocommerce'> {
  const target = ({ path, secret }: { path: string; secret: string }) => ({ url: `${apiUrl}${path}`, secret });
  return { shopify: target(webhooks.shopify), generic: target(webhooks.generic) };
}
