import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { DkimConfigError, readDkimKey } from '../integrations/smtp/dkim-key.ts';

/** One thing that is missing or wrong, in words for the person who starts the program. */
export interface EnvProblem {
  variable: string;
  problem: string;
  remedy: string;
}

/**
 * Thrown when the environment cannot be used. Carries every problem at once, so that nobody corrects them one start at a time.
 * `message` is what a user sees; entry points print it without the stack.
 */
export class EnvError extends Error {
  readonly code = 'ENV_INVALID';
  readonly problems: readonly EnvProblem[];

  constructor(problems: readonly EnvProblem[]) {
    super(['The environment is not usable:', ...problems.map(({ variable, problem, remedy }) => `  ${variable} ${problem}. ${remedy}`)].join('\n'));
    this.name = 'EnvError';
    this.problems = problems;
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** What to do about each variable. Also the list of all variables that Rekindle reads. */
const remedies = {
  NODE_ENV: 'Use development, test or production.',
  LOG_LEVEL: `Use one of ${logLevels.join(', ')}.`,
  DATABASE_URL: 'Give the Postgres URL, e.g. postgres://user:password@127.0.0.1:5432/rekindle.',
  MIGRATION_DATABASE_URL: 'Give the Postgres URL of the owner of the tables, or leave it out to use DATABASE_URL.',
  TEMPORAL_ADDRESS: 'Give host:port of the Temporal frontend, e.g. 127.0.0.1:7233.',
  TEMPORAL_NAMESPACE: 'Give the name of an existing Temporal namespace, or leave it out to use "default".',
  TEMPORAL_API_KEY: 'Give the API key of Temporal Cloud, or leave it out.',
  TEMPORAL_TLS: 'Use true or false, or leave it out (true when TEMPORAL_API_KEY is set).',
  HOST: 'Give the address to listen on, e.g. 127.0.0.1 or 0.0.0.0.',
  PORT: 'Give a port between 1 and 65535, or leave it out to use 3000.',
  PUBLIC_URL: 'Give the address under which shoppers and shops reach this server, e.g. https://rekindle.example.com.',
  SMTP_URL: 'Give the mail server, e.g. smtps://user:password@smtp.example.com:465.',
  REKINDLE_MAIL_FROM: 'Give a name and an address that SMTP_URL may send from, e.g. Rekindle <team@rekindle.example.com>, or leave it out.',
  DKIM_DOMAIN: 'Give the domain of the senders’ addresses, e.g. shop.example.com, or leave all of DKIM_* out where the mail server signs.',
  DKIM_SELECTOR: 'Give the name below _domainkey under which the public key stands in the DNS, e.g. rekindle1.',
  DKIM_PRIVATE_KEY: 'Give an RSA key on one line: `openssl genrsa 2048 | base64 -w0` makes one.',
  REKINDLE_MASTER_KEY: 'Give 32 random bytes in base64: `openssl rand -base64 32` makes them. Keep them: stored secrets open with no other key.',
  REKINDLE_OTHER_MASTER_KEYS:
    'Give the master keys that may still open what they have sealed, separated by commas, while one is replaced by another; else leave it out.',
  REKINDLE_TEMPORAL_KEY:
    'Give 32 random bytes in base64 (`openssl rand -base64 32` makes them): what Temporal stores is encrypted with them. Leave it out to store it in plain text.',
  REKINDLE_OTHER_TEMPORAL_KEYS:
    'Give the keys that may still decrypt what Temporal has stored, separated by commas, while a key is replaced or taken into use; else leave it out.',
  REKINDLE_INSTALLATION_KEY:
    'Give at least 32 random characters: `openssl rand -hex 32` makes them. It opens what spans stores (/api/tenants, /api/people, /api/master-key); leave it out to keep that closed.',
  OIDC_ISSUER: 'Give the https address of the identity provider’s issuer, or leave all of OIDC_* out.',
  OIDC_CLIENT_ID: 'Give the id under which the identity provider knows this installation, or leave all of OIDC_* out.',
  OIDC_CLIENT_SECRET: 'Give the secret that the identity provider gave with the client id, or leave all of OIDC_* out.',
  REKINDLE_TIME_SCALE: 'Give a number of at least 1 (3600: an hour passes in a second), or leave it out.',
  REKINDLE_HOLD_PATCHES: 'Use 1 while processes of an older build still run, then leave it out.',
  REKINDLE_PRIVATE_ADDRESSES: 'Use none, all, or ranges such as 10.20.0.0/16,fd00::/8.',
  REKINDLE_CORS_ORIGINS: 'Give the origins whose pages may call the API, separated by commas, e.g. https://app.example.com, or leave it out.',
  REKINDLE_TRUSTED_PROXIES:
    'Give the addresses of the proxies in front of the API, or ranges of them, separated by commas, e.g. 10.0.0.5,10.20.0.0/16, or leave it out.',
  REKINDLE_LIVE_PAGE: 'Use 1 to show every shopper’s story at / to anybody who asks (for one’s own machine), or leave it out.',
  SILENT_SWEEP_SECONDS: 'Give the seconds between two sweeps for silent leads, 60 or more, or leave it out to use 14400 (4 h).',
  SILENT_SWEEP_MOST: 'Give how many silent leads of a store a sweep examines at most, 1 to 10000, or leave it out to use 100.',
  GHOST_SWEEP_SECONDS: 'Give the seconds between two sweeps for leads that left a chat, 60 or more, or leave it out to use 1800 (30 min).',
  GHOST_SWEEP_MOST: 'Give how many leads of a store that left a chat a sweep examines at most, 1 to 10000, or leave it out to use 1000.',
  REKINDLE_INTERVENTION_STORES: 'Give the percent of stores whose accounts get interventions by themselves, 0 to 100, or leave it out to use 100.',
  REKINDLE_RISK_MODELS:
    'Give the path of an existing folder of ONNX models, one `<id of the store>.onnx` for each store that brings its own, or leave it out.',
  GHL_API_KEY: 'Give the private integration token of the GoHighLevel location (Settings → Private Integrations), or leave both GHL_* out.',
  GHL_LOCATION_ID: 'Give the id of the GoHighLevel location, as the address of its pages has it behind /location/, or leave both GHL_* out.',
  METRICS_PORT: 'Give a port between 1 and 65535 for the worker’s own /metrics, or leave it out.',
  TEMPORAL_UI_URL: 'Give the http(s) address of the Temporal Web UI, or leave it out.',
  MAILBOX_URL: 'Give the http(s) address of the mailbox page, or leave it out.',
} as const;
type Variable = keyof typeof remedies;

const port = z.coerce.number('is not a number').int('is not a whole number').min(1, 'is below 1').max(65_535, 'is above 65535');

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function urlOf(...protocols: string[]) {
  return z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
}

function readRanges(value: string, context: z.RefinementCtx): 'all' | readonly string[] {
  if (value === 'all') return 'all';
  const ranges = value === 'none' ? [] : value.split(',').map((range) => range.trim());
  for (const range of ranges) if (!isRange(range)) context.addIssue({ code: 'custom', message: `has "${range}", which is no range` });
  return ranges;
}

/** `0.0.0.0/0` is refused: then everybody could say that they are somebody else. */
function readProxies(value: string, context: z.RefinementCtx): readonly string[] {
  const proxies = value.split(',').map((proxy) => proxy.trim());
  const wrong = proxies.find((proxy) => isIP(proxy) === 0 && (!isRange(proxy) || proxy.endsWith('/0')));
  if (wrong !== undefined) context.addIssue(`has "${wrong}", which is neither an address nor a range of some`);
  return proxies;
}

/** @param text - CIDR */
function isRange(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const most = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

/** `Name <address>`, or the address alone. */
function readMailbox(value: string, context: z.RefinementCtx): { name: string; address: string } {
  const [, name = '', bracketed] = /^([^<>"]*)<([^<>]*)>$/.exec(value.trim()) ?? [];
  const address = (bracketed ?? value).trim();
  if (!z.email().safeParse(address).success) context.addIssue('is no address such as Rekindle <team@rekindle.example.com>');
  return { name: name.trim() === '' ? 'Rekindle' : name.trim(), address };
}

/** `*` is refused: a page of anybody's could then call the API with a key that it was given. */
function readOrigins(value: string, context: z.RefinementCtx): readonly string[] {
  const origins = value.split(',').map((origin) => origin.trim());
  const wrong = origins.find((origin) => !URL.canParse(origin) || !/^https?:/.test(origin) || new URL(origin).origin !== origin);
  if (wrong !== undefined) context.addIssue(`has "${wrong}", which is no origin: scheme, host and port, without a path`);
  return origins;
}

function decodeKey(value: string, context: z.RefinementCtx): Buffer {
  const key = Buffer.from(value, 'base64');
  // Node ignores what is not base64; only the round trip tells.
  if (key.toString('base64').replaceAll('=', '') !== value.replaceAll('=', '')) context.addIssue('is not base64');
  else if (key.length !== 32) context.addIssue(`holds ${key.length} bytes instead of 32`);
  return key;
}

const required = 'is missing';
const nodeEnv = z.enum(['development', 'test', 'production'], { error: 'is none of development, test, production' });
const yesOrNo = z
  .enum(['0', '1'], { error: 'is neither 0 nor 1' })
  .transform((value) => value === '1')
  .default(false);
const schema = z.object({
  NODE_ENV: nodeEnv.default('development'),
  LOG_LEVEL: z.enum(logLevels, { error: 'is not a log level' }).default('info'),
  DATABASE_URL: z.string({ error: required }).pipe(urlOf('postgres:', 'postgresql:')),
  MIGRATION_DATABASE_URL: urlOf('postgres:', 'postgresql:').optional(),
  TEMPORAL_ADDRESS: z.string({ error: required }).regex(/^[^\s/]+:\d{1,5}$/, { error: 'is not host:port' }),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS: z
    .enum(['true', 'false'], { error: 'is neither true nor false' })
    .transform((value) => value === 'true')
    .optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  PUBLIC_URL: urlOf('http:', 'https:')
    .transform((value) => value.replace(/\/+$/, ''))
    .optional(),
  SMTP_URL: urlOf('smtp:', 'smtps:').optional(),
  REKINDLE_MAIL_FROM: z.string().transform(readMailbox).optional(),
  REKINDLE_MASTER_KEY: z.string({ error: required }).transform(decodeKey),
  REKINDLE_OTHER_MASTER_KEYS: z
    .string()
    .transform((value, context) => value.split(',').map((key) => decodeKey(key.trim(), context)))
    .optional(),
  REKINDLE_TEMPORAL_KEY: z.string().transform(decodeKey).optional(),
  REKINDLE_OTHER_TEMPORAL_KEYS: z
    .string()
    .transform((value, context) => value.split(',').map((key) => decodeKey(key.trim(), context)))
    .optional(),
  REKINDLE_INSTALLATION_KEY: z.string().min(32, 'is shorter than 32 characters').optional(),
  OIDC_ISSUER: urlOf('https:', 'http:').optional(),
  OIDC_CLIENT_ID: z.string().min(1, 'is empty').optional(),
  OIDC_CLIENT_SECRET: z.string().min(1, 'is empty').optional(),
  REKINDLE_TIME_SCALE: z.coerce.number('is not a number').min(1, 'is below 1').optional(),
  REKINDLE_HOLD_PATCHES: yesOrNo,
  REKINDLE_PRIVATE_ADDRESSES: z.string().transform(readRanges).optional(),
  REKINDLE_CORS_ORIGINS: z.string().transform(readOrigins).optional(),
  REKINDLE_TRUSTED_PROXIES: z.string().transform(readProxies).optional(),
  REKINDLE_LIVE_PAGE: yesOrNo,
  SILENT_SWEEP_SECONDS: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(60, 'is below 60')
    .max(604_800, 'is more than a week')
    .default(14_400),
  REKINDLE_INTERVENTION_STORES: z.coerce.number('is not a number').min(0, 'is below 0').max(100, 'is above 100').default(100),
  REKINDLE_RISK_MODELS: z.string().refine(isFolder, 'is no folder that exists').optional(),
  SILENT_SWEEP_MOST: z.coerce.number('is not a number').int('is not a whole number').min(1, 'is below 1').max(10_000, 'is above 10000').default(100),
  GHOST_SWEEP_SECONDS: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(60, 'is below 60')
    .max(604_800, 'is more than a week')
    .default(1_800),
  GHOST_SWEEP_MOST: z.coerce.number('is not a number').int('is not a whole number').min(1, 'is below 1').max(10_000, 'is above 10000').default(1_000),
  GHL_API_KEY: z
    .string()
    .regex(/^\S{8,4000}$/, { error: 'is no token' })
    .optional(),
  GHL_LOCATION_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{4,64}$/, { error: 'is no id of a location' })
    .optional(),
  METRICS_PORT: port.optional(),
  TEMPORAL_UI_URL: urlOf('http:', 'https:').optional(),
  MAILBOX_URL: urlOf('http:', 'https:').optional(),
});

/** The whole configuration, read once at the start and handed inward. `null`: not given. */
export interface Env {
  NODE_ENV: 'development' | 'test' | 'production';
  LOG_LEVEL: (typeof logLevels)[number];
  DATABASE_URL: string;
  /** The owner of the tables; DATABASE_URL where not given. */
  MIGRATION_DATABASE_URL: string;
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  TEMPORAL_API_KEY: string | null;
  TEMPORAL_TLS: boolean;
  HOST: string;
  PORT: number;
  /** The public address of this installation, without a slash at the end. */
  PUBLIC_URL: string;
  SMTP_URL: string | null;
  /** From whom emails come that the installation itself sends: invitations and links to new passwords; null: it sends none. */
  REKINDLE_MAIL_FROM: { name: string; address: string } | null;
  /** What messages by SMTP_URL are signed with; null: nothing, or the mail server signs. */
  DKIM: { domain: string; selector: string; privateKey: string } | null;
  /** 32 bytes: seals the connections' secrets (AES-256-GCM). */
  REKINDLE_MASTER_KEY: Buffer;
  /** Master keys that open and do not seal; none but while a key is replaced by another. */
  REKINDLE_OTHER_MASTER_KEYS: readonly Buffer[];
  /** For what Temporal stores; null: it is in plain text. */
  PAYLOAD_KEYS: { current: Buffer | null; others: readonly Buffer[] } | null;
  /** The installation's key, which opens what spans stores, such as `/api/tenants`; null: closed. */
  REKINDLE_INSTALLATION_KEY: string | null;
  /** How many seconds of every tenant's plans pass in one; null: each tenant's own scale. Never set in production. */
  REKINDLE_TIME_SCALE: number | null;
  /** Leave changes of the workflow code inactive while an older build's workers still run (docs/operations.md, "Upgrading"). */
  REKINDLE_HOLD_PATCHES: boolean;
  /**
   * Which addresses of private networks stores may have called (their mail servers, their own systems): all, or those in these ranges (CIDR). Not given: all, and
   * none in production.
   */
  REKINDLE_PRIVATE_ADDRESSES: 'all' | readonly string[];
  /** Sites whose pages may call the API; empty: none. */
  REKINDLE_CORS_ORIGINS: readonly string[];
  /** Proxies that are believed whose request they pass on: addresses, and ranges as CIDR; empty: none. */
  REKINDLE_TRUSTED_PROXIES: readonly string[];
  /** Show at `/` what happens to every tenant's shoppers, without a key: for one's own machine only. */
  REKINDLE_LIVE_PAGE: boolean;
  /** Seconds between two sweeps for silent leads, and how many one of them examines at most. */
  SILENT_SWEEP_SECONDS: number;
  SILENT_SWEEP_MOST: number;
  GHOST_SWEEP_SECONDS: number;
  GHOST_SWEEP_MOST: number;
  /** Percent of the stores whose accounts get interventions by themselves. */
  REKINDLE_INTERVENTION_STORES: number;
  /** The folder of models that stores have brought; null: nobody brings any. */
  REKINDLE_RISK_MODELS: string | null;
  /** Where people may sign in beside a password; null: nowhere. */
  OIDC: { issuer: string; clientId: string; clientSecret: string } | null;
  /** The GoHighLevel location of the first store; null: none is named here. */
  GHL: { token: string; locationId: string } | null;
  /** Port of the worker's own /metrics; null: not served. */
  METRICS_PORT: number | null;
  /** Links for the live page only. */
  TEMPORAL_UI_URL: string | null;
  MAILBOX_URL: string | null;
}

/**
 * Read and check the environment. An empty variable counts as not given (`FOO= npm start`).
 * @throws EnvError naming every missing or wrong variable with its remedy
 */
export function readEnv(source: Record<string, string | undefined> = process.env): Env {
  const given = Object.fromEntries(
    Object.keys(remedies).flatMap((variable) => (source[variable]?.trim() ? [[variable, source[variable].trim()]] : [])),
  );
  const parsed = schema.safeParse(given);
  const problems = parsed.success ? [] : describe(parsed.error.issues);
  // Asked for apart from the schema: zod checks relations only when every field is right, and a user wants all problems at once.
  const dkim = readDkim(given);
  const ghl = readLocation(given);
  if (ghl.kind === 'half') problems.push(ghl.problem);
  const oidc = readOidc(given);
  if (oidc.kind === 'half') problems.push(...oidc.problems);
  if (dkim.kind === 'wrong') problems.push(...dkim.problems);
  // A wrong variable is named by the schema already.
  if (given.NODE_ENV === 'production')
    problems.push(...refusedInProduction(given).filter(({ variable }) => !problems.some((known) => known.variable === variable)));
  if (!parsed.success || dkim.kind === 'wrong' || ghl.kind === 'half' || oidc.kind === 'half' || problems.length > 0) throw new EnvError(problems);
  const {
    GHL_API_KEY: _key,
    GHL_LOCATION_ID: _location,
    OIDC_ISSUER: _issuer,
    OIDC_CLIENT_ID: _id,
    OIDC_CLIENT_SECRET: _secret,
    REKINDLE_TEMPORAL_KEY: current = null,
    REKINDLE_OTHER_TEMPORAL_KEYS: others = [],
    ...env
  } = parsed.data;
  return {
    ...env,
    DKIM: dkim.settings,
    MIGRATION_DATABASE_URL: env.MIGRATION_DATABASE_URL ?? env.DATABASE_URL,
    TEMPORAL_API_KEY: env.TEMPORAL_API_KEY ?? null,
    TEMPORAL_TLS: env.TEMPORAL_TLS ?? env.TEMPORAL_API_KEY !== undefined,
    PUBLIC_URL: env.PUBLIC_URL ?? `http://localhost:${env.PORT}`,
    SMTP_URL: env.SMTP_URL ?? null,
    REKINDLE_MAIL_FROM: env.REKINDLE_MAIL_FROM ?? null,
    REKINDLE_OTHER_MASTER_KEYS: env.REKINDLE_OTHER_MASTER_KEYS ?? [],
    PAYLOAD_KEYS: current === null && others.length === 0 ? null : { current, others },
    REKINDLE_INSTALLATION_KEY: env.REKINDLE_INSTALLATION_KEY ?? null,
    REKINDLE_TIME_SCALE: env.REKINDLE_TIME_SCALE ?? null,
    REKINDLE_CORS_ORIGINS: env.REKINDLE_CORS_ORIGINS ?? [],
    REKINDLE_TRUSTED_PROXIES: env.REKINDLE_TRUSTED_PROXIES ?? [],
    REKINDLE_PRIVATE_ADDRESSES: env.REKINDLE_PRIVATE_ADDRESSES ?? (env.NODE_ENV === 'production' ? [] : 'all'),
    SILENT_SWEEP_SECONDS: env.SILENT_SWEEP_SECONDS,
    SILENT_SWEEP_MOST: env.SILENT_SWEEP_MOST,
    GHOST_SWEEP_SECONDS: env.GHOST_SWEEP_SECONDS,
    GHOST_SWEEP_MOST: env.GHOST_SWEEP_MOST,
    REKINDLE_INTERVENTION_STORES: env.REKINDLE_INTERVENTION_STORES,
    REKINDLE_RISK_MODELS: env.REKINDLE_RISK_MODELS ?? null,
    OIDC: oidc.provider,
    GHL: ghl.location,
    METRICS_PORT: env.METRICS_PORT ?? null,
    TEMPORAL_UI_URL: env.TEMPORAL_UI_URL ?? null,
    MAILBOX_URL: env.MAILBOX_URL ?? null,
  };
}

/** Settings that only a machine for trying things out may have. */
function refusedInProduction(given: Partial<Record<string, string>>): EnvProblem[] {
  const refused: EnvProblem[] = [];
  if (given['REKINDLE_TIME_SCALE'] !== undefined) {
    const problem = 'is refused with NODE_ENV=production: a day of waiting would pass in seconds';
    refused.push({ variable: 'REKINDLE_TIME_SCALE', problem, remedy: 'Remove it.' });
  }
  const publicUrl = given['PUBLIC_URL'];
  if (!/^https:/i.test(publicUrl ?? '')) {
    const is = publicUrl === undefined ? 'is missing' : 'does not start with https://';
    const problem = `${is}, which NODE_ENV=production asks for: mail programs offer one-click unsubscribe for https alone (RFC 8058)`;
    refused.push({ variable: 'PUBLIC_URL', problem, remedy: remedies.PUBLIC_URL });
  }
  return refused;
}

/** A token without its location, or the other way round, connects nothing. */
function readLocation(given: Partial<Record<string, string>>): { kind: 'whole'; location: Env['GHL'] } | { kind: 'half'; problem: EnvProblem } {
  const { GHL_API_KEY: token, GHL_LOCATION_ID: locationId } = given;
  if (token === undefined && locationId === undefined) return { kind: 'whole', location: null };
  if (token !== undefined && locationId !== undefined) return { kind: 'whole', location: { token, locationId } };
  const [variable, other] = token === undefined ? (['GHL_API_KEY', 'GHL_LOCATION_ID'] as const) : (['GHL_LOCATION_ID', 'GHL_API_KEY'] as const);
  return { kind: 'half', problem: { variable, problem: `is missing, while ${other} is given`, remedy: remedies[variable] } };
}

/** All of OIDC_* or none. */
function readOidc(given: Partial<Record<string, string>>): { kind: 'whole'; provider: Env['OIDC'] } | { kind: 'half'; problems: EnvProblem[] } {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = given;
  if (issuer !== undefined && clientId !== undefined && clientSecret !== undefined)
    return { kind: 'whole', provider: { issuer, clientId, clientSecret } };
  const missing = (['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const).filter((variable) => given[variable] === undefined);
  if (missing.length === 3) return { kind: 'whole', provider: null };
  const problem = 'is missing, while others of OIDC_* are given';
  return { kind: 'half', problems: missing.map((variable) => ({ variable, problem, remedy: remedies[variable] })) };
}

const dkimVariables = { domain: 'DKIM_DOMAIN', selector: 'DKIM_SELECTOR', privateKey: 'DKIM_PRIVATE_KEY' } as const;

/** All of DKIM_* or none: with a part of them emails would go out unsigned, and nobody would notice. */
function readDkim(given: Partial<Record<string, string>>): { kind: 'right'; settings: Env['DKIM'] } | { kind: 'wrong'; problems: EnvProblem[] } {
  const { DKIM_DOMAIN: domain, DKIM_SELECTOR: selector, DKIM_PRIVATE_KEY: privateKey } = given;
  if (domain === undefined && selector === undefined && privateKey === undefined) return { kind: 'right', settings: null };
  const wrong = (variable: Variable, problem: string) => ({ variable, problem, remedy: remedies[variable] });
  if (domain === undefined || selector === undefined || privateKey === undefined) {
    const missing = Object.values(dkimVariables).filter((variable) => given[variable] === undefined);
    return { kind: 'wrong', problems: missing.map((variable) => wrong(variable, 'is missing, while others of DKIM_* are given')) };
  }
  const settings = { domain, selector, privateKey };
  try {
    readDkimKey(settings);
    return { kind: 'right', settings };
  } catch (error) {
    if (!(error instanceof DkimConfigError)) throw error;
    return { kind: 'wrong', problems: [wrong(dkimVariables[error.part], error.message)] };
  }
}

function describe(issues: readonly z.core.$ZodIssue[]): EnvProblem[] {
  return issues.map((issue) => {
    const variable = String(issue.path[0]);
    return { variable, problem: issue.message, remedy: isVariable(variable) ? remedies[variable] : '' };
  });
}

function isVariable(name: string): name is Variable {
  return name in remedies;
}
