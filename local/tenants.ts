import { randomBytes } from 'node:crypto';
import { metaConfig } from '../integrations/meta/config.ts';
import { readCredentials, writeCredentials } from './credentials.ts';
import { compileWithModelStep } from './demo-store/model-step.ts';
import type { ShopTargets } from './demo-store/shop-events.ts';
import type { ProvisionedTenant } from '../operations/provision-tenant.ts';
import { type Provisioning, withProvisioning } from './provisioning.ts';
import { localModelName } from './model/server.ts';
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

/**
 * Make sure that the real-time tenant exists and `.rekindle/credentials.json` opens it, and the demo tenant where it is wanted.
 * A demo tenant starts afresh: enrollments that its last run left open end as `demo_restarted`.
 * @param demoShop - null: no demo store this time
 * @returns where the demo's webhooks go; null without a demo
 */
export async function provisionTenants(options: {
  databaseUrl: string;
  masterKey: string;
  apiUrl: string;
  dir: string;
  demoShop: { url: string; timeScale: number; phoneUrl: string; modelUrl: string } | null;
}): Promise<{ demo: (ShopTargets & { onsiteKey: string }) | null }> {
  const { apiUrl, dir, demoShop } = options;
  const before = readCredentials(dir);
  const own = before?.tenant === store.slug ? before.apiKey : null;
  /** Where leads of ads and their conversions are reported, so that the whole way can be tried by hand. */
  const leadSources = async ({ connectOnce }: Pick<Provisioning, 'connectOnce'>, tenantId: string) => {
    const config = { appSecret: randomBytes(16).toString('hex'), verifyToken: randomBytes(12).toString('hex') };
    const ads = await connectOnce(tenantId, { integration: 'meta', name: `${store.name} (meta)`, config, secrets: [] });
    const tracker = await connectOnce(tenantId, { integration: 'keitaro', name: `${store.name} (keitaro)`, config: {}, secrets: [] });
    const known = metaConfig.safeParse(ads.config);
    return {
      ...(known.success ? { meta: { url: `${apiUrl}${ads.path}`, secret: known.data.appSecret, verifyToken: known.data.verifyToken } } : {}),
      keitaro: { url: `${apiUrl}${tracker.path}` },
    };
  };
  return withProvisioning(options, async ({ provision, connect, connectOnce, publish, restartDemo }) => {
    const tenant = await provision({ ...store, renewApiKey: own === null });
    const apiKey = tenant.apiKey ?? own;
    if (apiKey === null) throw new StartError(`The tenant "${store.slug}" exists, but its API key is unknown here.`);
    writeCredentials(dir, {
      apiUrl,
      apiKey,
      tenant: store.slug,
      webhooks: { ...targetsOf(tenant, apiUrl), ...(await leadSources({ connectOnce }, tenant.tenantId)) },
    });
    if (demoShop === null) return { demo: null };
    const shop = await provision({ ...demo, timeScale: demoShop.timeScale, settings: { ...demo.settings, storeUrl: demoShop.url } });
    // Everything but the address is made up: the stand-in asks for no account.
    const config = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'demo', from: '+12025550100', baseUrl: demoShop.phoneUrl };
    await connect(shop.tenantId, { integration: 'twilio', name: 'Texts of the demo store', config, secrets: [] });
    // Any key is welcome there, and the name of the model says what it is.
    const model = { apiKey: 'demo', baseUrl: demoShop.modelUrl, model: localModelName };
    await connect(shop.tenantId, { integration: 'openai', name: 'Stand-in for a language model (synthetic)', config: model, secrets: [] });
    await publish(shop.tenantId, await compileWithModelStep());
    const woo = await connect(shop.tenantId, { integration: 'woocommerce', name: `${demo.name} (woocommerce)`, config: null, secrets: [] });
    const pages = { integration: 'onsite', name: 'Pages of the demo store', config: { origins: originsOf(demoShop.url) }, secrets: [] };
    const { id: onsiteKey } = await connect(shop.tenantId, pages);
    await restartDemo(shop.tenantId);
    return { demo: { ...targetsOf(shop, apiUrl), woocommerce: { url: `${apiUrl}${woo.path}`, secret: woo.secret ?? '' }, onsiteKey } };
  });
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
