import { createHash, randomBytes } from 'node:crypto';
import { metaConfig } from '../integrations/meta/config.ts';
import type { Provisioning, StandInWish } from './provisioning.ts';
import { localPageToken } from './providers/lead-ads.ts';
import type { Providers } from './providers/providers.ts';
import type { WebhookTarget } from './webhook.ts';

/** What the connections of a store to the stand-ins need. */
export interface StandInAccess {
  provisioning: Pick<Provisioning, 'standIn'>;
  tenantId: string;
  /** The store's slug: its accounts at the stand-ins are named for it. */
  store: string;
  apiUrl: string;
  /** A secret of the installation: what opens the accounts follows from it. */
  seed: string;
  providers: Providers;
  phoneUrl: string;
}

/** Where the providers of a store deliver. */
export interface StandInTargets {
  twilio?: WebhookTarget;
  vapi?: WebhookTarget;
  instantly?: WebhookTarget;
  gohighlevel?: WebhookTarget;
  botToken: string;
}

const prefix = 'Stand-in for ';
/** Whether a connection is one of these, by its name. */
export const isStandIn = (name: string): boolean => name.startsWith(prefix);
const nameOf = (provider: string): string => `${prefix}${provider} (this machine)`;

/**
 * Lead ads of a page, whose leads lie at the Graph API's stand-in unless the store has connected a page of its own by this connection.
 * @param name - of the connection
 * @param access.providers - null: there is no stand-in, and only leads whose notification carries their fields come in
 */
export async function connectLeadAds(
  {
    provisioning,
    tenantId,
    store,
    apiUrl,
    providers,
  }: Pick<StandInAccess, 'provisioning' | 'tenantId' | 'store' | 'apiUrl'> & { providers: Providers | null },
  name: string,
): Promise<MetaTarget | null> {
  const graphUrl = providers === null ? null : `${providers.url}/graph`;
  const { path, config, isTheirs } = await provisioning.standIn(tenantId, { integration: 'meta', name, config: (known) => metaOf(known, graphUrl) });
  const read = metaConfig.safeParse(config).data;
  if (read === undefined) return null;
  const target = { url: `${apiUrl}${path}`, secret: read.appSecret, verifyToken: read.verifyToken };
  if (!isTheirs) providers?.ads.connect(store, target);
  return target;
}

export type MetaTarget = WebhookTarget & { verifyToken: string };

function metaOf(known: unknown, graphUrl: string | null): object | null {
  const before = metaConfig.safeParse(known).data;
  const page = graphUrl === null ? {} : { pageAccessToken: localPageToken, baseUrl: graphUrl };
  if (before === undefined) return { appSecret: randomBytes(16).toString('hex'), verifyToken: randomBytes(12).toString('hex'), ...page };
  // A page of the store's own.
  if (before.pageAccessToken !== undefined && before.pageAccessToken !== localPageToken) return null;
  const { appSecret, verifyToken, fields, consents } = before;
  const own = { ...(Object.keys(fields).length === 0 ? {} : { fields }), ...(Object.keys(consents).length === 0 ? {} : { consents }) };
  return { appSecret, verifyToken, ...own, ...page };
}

/** Texts, calls, emails by campaigns, a bot and a CRM, all of which end on this machine. */
export async function connectStandIns(access: StandInAccess): Promise<StandInTargets> {
  const { provisioning, tenantId, store, apiUrl, providers, phoneUrl } = access;
  const secretOf = (what: string) => createHash('sha256').update(`${access.seed} ${store} ${what}`).digest('hex');
  const connect = async (provider: string, integration: string, config: Record<string, unknown>, secrets?: string[]) => {
    const wish: StandInWish = {
      integration,
      name: nameOf(provider),
      config: (known) => (isElsewhere(known) ? null : config),
      ...(secrets === undefined ? {} : { secrets }),
    };
    const made = await provisioning.standIn(tenantId, wish);
    return made.isTheirs ? null : { url: `${apiUrl}${made.path}`, secret: made.secret ?? '' };
  };
  const number = store === 'store' ? '+12025550101' : '+12025550102';
  const authToken = secretOf('texts').slice(0, 32);
  const twilio = await connect('Twilio', 'twilio', {
    accountSid: `AC${secretOf('account').slice(0, 32)}`,
    authToken,
    from: number,
    baseUrl: phoneUrl,
  });
  const apiKey = secretOf('calls');
  const voice = { assistantId: 'assistant-of-this-machine', phoneNumberId: 'number-of-this-machine' };
  const vapi = await connect('VAPI', 'vapi', { apiKey, ...voice, baseUrl: `${providers.url}/vapi` });
  if (vapi !== null) providers.calls.connect(apiKey, vapi);
  const workspace = secretOf('emails');
  // Emails go to the mailbox; what is reported of Instantly counts all the same.
  const campaign = { campaign: '018f0000-0000-7000-8000-00000000ca01', sends: [], baseUrl: `${providers.url}/instantly` };
  const instantly = await connect('Instantly', 'instantly', { apiKey: workspace, ...campaign });
  if (instantly !== null) providers.instantly.connect(workspace, instantly);
  const botToken = `${store === 'store' ? 700_000_001 : 700_000_002}:${secretOf('bot').slice(0, 35)}`;
  if ((await connect('Telegram', 'telegram', { token: botToken, updates: 'polling', baseUrl: `${providers.url}/telegram` })) !== null)
    providers.connectBot(store, botToken);
  const [locationId, token] = [`location-of-${store}`, `pit-${secretOf('crm')}`];
  const crm = { locationId, token, sends: ['crm'], leads: 'every_contact', webhookPublicKey: providers.crm.publicKey };
  const gohighlevel = await connect('GoHighLevel', 'gohighlevel', { ...crm, baseUrl: `${providers.url}/ghl` });
  if (gohighlevel !== null) providers.crm.connect(locationId, token, gohighlevel.url);
  return {
    ...(twilio === null ? {} : { twilio: { ...twilio, secret: authToken } }),
    ...(vapi === null ? {} : { vapi }),
    ...(instantly === null ? {} : { instantly }),
    ...(gohighlevel === null ? {} : { gohighlevel }),
    botToken,
  };
}

/** Whether somebody has given the connection an account of their own. */
function isElsewhere(config: unknown): boolean {
  if (typeof config !== 'object' || config === null) return false;
  const baseUrl = 'baseUrl' in config && typeof config.baseUrl === 'string' ? config.baseUrl : null;
  return baseUrl === null || !['127.0.0.1', 'localhost', '[::1]'].includes(new URL(baseUrl).hostname);
}
