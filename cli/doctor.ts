import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { tenantSettings } from '../domain/tenant-settings.ts';
import { type Client, unwrap } from '../sdk/index.ts';
import { type Answer, collect, type Command, type Row, shown, UsageError } from './command.ts';
import { type DnsFinding, judgeDkim, judgeDmarc, judgeMx, judgeSpf } from './dns-records.ts';

/** One thing that was looked at. `warning`: it works, and could be better. */
interface Finding {
  area: 'installation' | 'clock' | 'versions' | 'store' | 'connections' | 'dns' | 'parked';
  name: string;
  state: 'ok' | 'warning' | 'problem';
  detail: string;
  /** What to do; null: nothing. */
  remedy: string | null;
}

const finding = (area: Finding['area'], name: string, state: Finding['state'], detail: string, remedy: string | null = null): Finding => ({
  area,
  name,
  state,
  detail,
  remedy,
});

export const doctor: Command = {
  summary: 'look at everything that a store needs, and say what to do',
  usage: `rekindle doctor [--selector NAME] [--dns SERVER]

Health of the installation, its clock and versions, what the store lacks, whether each provider lets us in, the DNS records of the
sender's domain (SPF, DMARC, MX; DKIM with --selector), and what cannot go on by itself. Nothing is changed.

--selector   under which emails are signed (DKIM_SELECTOR, or as your provider shows it)
--dns        which DNS server to ask, e.g. 1.1.1.1; default: this machine's

The exit status is 1 where something is a problem.`,
  example: 'rekindle doctor --selector rekindle1',
  options: { selector: { type: 'string' }, dns: { type: 'string' } },
  takes: 0,
  async run({ store, options }) {
    const { selector, dns } = options;
    const [installation, findings] = await Promise.all([ofInstallation(store), ofStore(store)]);
    const sender = unwrap(await store.settings.get()).settings as Row;
    const records = await ofDomain(domainOf(sender['senderAddress']), typeof selector === 'string' ? selector : null, resolverAt(dns));
    const all = [...installation, ...findings, ...records];
    return answerOf(all);
  },
};

/** Clocks further apart would make times in answers and logs useless; plans rest on the servers' own. */
const mostSkewMs = 30_000;

async function ofInstallation(store: Client): Promise<Finding[]> {
  const askedMs = Date.now();
  const result = await store.health.get();
  // An unhealthy installation answers 503, and the body says what is wrong.
  const health = (result.error?.status === 503 ? result.error.body : unwrap(result)) as Row;
  const problems = (health['problems'] ?? []) as string[];
  const state = health['status'] === 'ok' ? 'ok' : 'problem';
  const skewMs = Date.parse(String(health['at'])) - (askedMs + Date.now()) / 2;
  const { version } = (unwrap(await store.health.openApi()) as { info: { version: string } }).info;
  const own: { version: string; engines: { node: string } } = JSON.parse(readFileSync(packageFile(), 'utf8'));
  const skew = Math.round(Math.abs(skewMs) / 1_000);
  return [
    finding('installation', 'health', state, problems.length === 0 ? 'every part works' : problems.join(' ')),
    Math.abs(skewMs) > mostSkewMs
      ? finding('clock', 'clock', 'warning', `the server's clock and this machine's are ${skew} s apart`, 'Let both follow NTP.')
      : finding('clock', 'clock', 'ok', 'agrees with this machine’s'),
    version === own.version
      ? finding('versions', 'rekindle', 'ok', version)
      : finding(
          'versions',
          'rekindle',
          'warning',
          `the server is ${version}, this command ${own.version}`,
          'Use the command of the server’s version.',
        ),
    ...ofSearchAttributes(health),
    finding('versions', 'node', 'ok', `${process.version}; ${own.engines.node} are supported`),
  ];
}

/** A server of before, or a Temporal that is away, does not say what it has. */
function ofSearchAttributes({ parts }: Row): Finding[] {
  const missing = (parts as { temporal: { missing_search_attributes?: string[] | null } }).temporal.missing_search_attributes;
  if (missing === undefined) return [];
  const name = 'search attributes';
  if (missing === null)
    return [finding('installation', name, 'warning', 'Temporal did not say which it has', 'temporal operator search-attribute list')];
  if (missing.length === 0) return [finding('installation', name, 'ok', 'Temporal has all that workflows set')];
  const command = `temporal operator search-attribute create ${missing.map((one) => `--name ${one} --type Keyword`).join(' ')}`;
  return [finding('installation', name, 'problem', `Temporal lacks ${missing.join(', ')}: no workflow can start`, command)];
}

/** Of the checkout, or of dist/ in production. */
function packageFile(): URL {
  const beside = new URL('../package.json', import.meta.url);
  try {
    readFileSync(beside);
    return beside;
  } catch {
    return new URL('../../package.json', import.meta.url);
  }
}

async function ofStore(store: Client): Promise<Finding[]> {
  const settings = unwrap(await store.settings.get()).settings as Row;
  const [connections, parked] = await Promise.all([collect(store.connections.all({ limit: 500 })), collect(store.parked.all())]);
  const live = connections.filter(({ state }) => state === 'connected');
  const checked: Finding[] = [];
  for (const connection of live) checked.push(ofConnection(connection, unwrap(await store.connections.check(String(connection.id)))));
  const none = finding('connections', 'connections', 'problem', 'there are none', 'npx rekindle connections create …');
  return [
    ...missing(settings),
    ...(live.length === 0 ? [none] : checked),
    ...parked.map(({ kind, sentence, what_to_do }) => finding('parked', kind, 'warning', sentence, what_to_do)),
  ];
}

/** Whether its provider lets us in, and, of one that delivers, whether anything has ever arrived: a webhook that nobody entered looks like a quiet shop. */
function ofConnection({ id, name, integration, receives }: Row, { sends, last_delivery_at: last }: Checked): Finding {
  const title = `${shown(integration)} “${shown(name)}”`;
  const goesOut = sends?.detail ?? 'receives only';
  if (sends?.ok === false)
    return finding('connections', title, 'problem', goesOut, `Correct it: npx rekindle connections change ${shown(id)} --config …`);
  if (receives !== true) return finding('connections', title, 'ok', goesOut);
  if (last !== null) return finding('connections', title, 'ok', `${goesOut}; last delivery ${last}`);
  const remedy = `Enter its URL at ${shown(integration)}, where it is not entered yet: npx rekindle connections shows it.`;
  return finding('connections', title, 'warning', `${goesOut}; nothing has arrived yet`, remedy);
}

interface Checked {
  sends: { ok: boolean; detail: string } | null;
  last_delivery_at: string | null;
}

/** What the defaults stand in for, or leave open. */
function missing(settings: Row): Finding[] {
  const example = tenantSettings.parse({});
  const isOpen = (name: 'senderAddress' | 'postalAddress' | 'storeUrl') =>
    [example[name], '', undefined].includes(settings[name] as string | undefined);
  const found = [
    ...(isOpen('senderAddress')
      ? [finding('store', 'senderAddress', 'problem', 'is the example’s', 'npx rekindle settings set senderAddress=hello@your-shop.example')]
      : []),
    ...(isOpen('postalAddress')
      ? [
          finding(
            'store',
            'postalAddress',
            'problem',
            'is missing, and marketing emails have to name it',
            'npx rekindle settings set postalAddress="…"',
          ),
        ]
      : []),
    ...(isOpen('storeUrl')
      ? [
          finding(
            'store',
            'storeUrl',
            'problem',
            'is the example’s, and messages link to it',
            'npx rekindle settings set storeUrl=https://your-shop.example',
          ),
        ]
      : []),
  ];
  const law =
    settings['consentLaw'] === 'off'
      ? [
          finding(
            'store',
            'consentLaw',
            'warning',
            'is off: what the law of a country asks for is not looked at',
            'npx rekindle settings set consentLaw=law, where people in Europe, Canada or Japan are written to',
          ),
        ]
      : [];
  return [...(found.length > 0 ? found : [finding('store', 'settings', 'ok', 'sender, postal address and the shop’s address are set')]), ...law];
}

function domainOf(address: unknown): string {
  return typeof address === 'string' ? (address.split('@').at(-1) ?? '') : '';
}

function resolverAt(server: unknown): Resolver {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  if (typeof server === 'string') {
    try {
      resolver.setServers([server]);
    } catch {
      throw new UsageError('--dns is an address, such as 1.1.1.1 or 127.0.0.1:5353.');
    }
  }
  return resolver;
}

async function ofDomain(domain: string, selector: string | null, resolver: Resolver): Promise<Finding[]> {
  // Reserved for examples: nobody can publish anything there. Source: RFC 2606
  if (/(^|\.)(example|test|invalid|localhost)$|(^|\.)example\.(com|net|org)$/i.test(domain))
    return [finding('dns', domain, 'warning', 'is a domain for examples: its records were not asked for')];
  const texts = async (name: string) => (await orNone(resolver.resolveTxt(name))).map((parts) => parts.join(''));
  try {
    const [spf, dmarc, mx, address, dkim] = await Promise.all([
      texts(domain),
      dmarcOf(domain, texts),
      orNone(resolver.resolveMx(domain)),
      orNone(resolver.resolve4(domain)),
      selector === null ? null : texts(`${selector}._domainkey.${domain}`),
    ]);
    const judged: DnsFinding[] = [
      judgeSpf(domain, spf),
      judgeDmarc(domain, dmarc),
      judgeMx(
        domain,
        mx.map(({ exchange }) => exchange),
        address.length > 0,
      ),
      ...(dkim === null ? [] : [judgeDkim(`${selector}._domainkey.${domain}`, dkim)]),
    ];
    return judged.map(({ record, state, detail, remedy }) => finding('dns', record, state, detail, remedy));
  } catch (error) {
    const detail = `could not be asked for: ${error instanceof Error ? error.message : String(error)}`;
    return [finding('dns', domain, 'warning', detail, 'Try again, or ask another server: --dns 1.1.1.1')];
  }
}

/** The records of the domain, else of the one above it, which holds for those below. */
async function dmarcOf(domain: string, texts: (name: string) => Promise<string[]>): Promise<string[]> {
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const found = await texts(`_dmarc.${name}`);
    if (found.length > 0) return found;
  }
  return [];
}

/** A name without such records is an answer; a server that says nothing is none. */
async function orNone<T>(asked: Promise<T[]>): Promise<T[]> {
  try {
    return await asked;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENODATA' || code === 'ENOTFOUND') return [];
    throw error;
  }
}

const marks = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' } as const;

function answerOf(findings: readonly Finding[]): Answer {
  const failed = findings.some(({ state }) => state === 'problem');
  const lines = findings.flatMap(({ area, name, state, detail, remedy }) => [
    `${marks[state]} ${area.padEnd(12)} ${shown(name)}: ${detail}`,
    ...(remedy === null ? [] : [`${' '.repeat(22)} → ${remedy}`]),
  ]);
  return { data: findings, lines, failed };
}
