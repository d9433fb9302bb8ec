import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { privateAddressesOf } from '../../config/private-addresses.ts';
import { EnvError, readEnv } from '../../config/env.ts';

const key = Buffer.alloc(32, 7).toString('base64');
const enough = { DATABASE_URL: 'postgres://db.example.com/shop', TEMPORAL_ADDRESS: 'temporal.example.com:7233', REKINDLE_MASTER_KEY: key };

function problemsOf(source: Record<string, string>) {
  try {
    readEnv(source);
  } catch (error) {
    if (error instanceof EnvError) return error;
    throw error;
  }
  throw new Error('expected an EnvError');
}

test('three variables are enough; the rest has defaults', () => {
  expect(readEnv(enough)).toEqual({
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    DATABASE_URL: enough.DATABASE_URL,
    MIGRATION_DATABASE_URL: enough.DATABASE_URL,
    TEMPORAL_ADDRESS: enough.TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_API_KEY: null,
    TEMPORAL_TLS: false,
    HOST: '127.0.0.1',
    PORT: 3000,
    PUBLIC_URL: 'http://localhost:3000',
    SMTP_URL: null,
    REKINDLE_MAIL_FROM: null,
    DKIM: null,
    REKINDLE_MASTER_KEY: Buffer.alloc(32, 7),
    REKINDLE_TIME_SCALE: null,
    REKINDLE_HOLD_PATCHES: false,
    REKINDLE_OTHER_MASTER_KEYS: [],
    PAYLOAD_KEYS: null,
    REKINDLE_INSTALLATION_KEY: null,
    REKINDLE_PRIVATE_ADDRESSES: 'all',
    REKINDLE_CORS_ORIGINS: [],
    REKINDLE_TRUSTED_PROXIES: [],
    REKINDLE_LIVE_PAGE: false,
    SILENT_SWEEP_SECONDS: 14_400,
    SILENT_SWEEP_MOST: 100,
    GHOST_SWEEP_SECONDS: 1_800,
    GHOST_SWEEP_MOST: 1_000,
    REKINDLE_INTERVENTION_STORES: 100,
    REKINDLE_RISK_MODELS: null,
    OIDC: null,
    GHL: null,
    METRICS_PORT: null,
    TEMPORAL_UI_URL: null,
    MAILBOX_URL: null,
  });
});

test('what Temporal stores is encrypted with a key, decrypted with others alone, or left as it is', () => {
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const keyed = { ...enough, REKINDLE_TEMPORAL_KEY: one.toString('base64') };
  expect(readEnv(keyed).PAYLOAD_KEYS).toEqual({ current: one, others: [] });
  expect(readEnv({ ...keyed, REKINDLE_OTHER_TEMPORAL_KEYS: other.toString('base64') }).PAYLOAD_KEYS).toEqual({ current: one, others: [other] });
  expect(readEnv({ ...enough, REKINDLE_OTHER_TEMPORAL_KEYS: other.toString('base64') }).PAYLOAD_KEYS).toEqual({ current: null, others: [other] });
  expect(() => readEnv({ ...enough, REKINDLE_TEMPORAL_KEY: 'short' })).toThrow(/REKINDLE_TEMPORAL_KEY/);
});

test('the public address follows the port and loses its last slash', () => {
  expect(readEnv({ ...enough, PORT: '8080' }).PUBLIC_URL).toBe('http://localhost:8080');
  expect(readEnv({ ...enough, PUBLIC_URL: 'https://shop.example.com/' }).PUBLIC_URL).toBe('https://shop.example.com');
});

test('an identity provider is named whole, or what is missing of it is', () => {
  const provider = { OIDC_ISSUER: 'https://id.example.com', OIDC_CLIENT_ID: 'rekindle', OIDC_CLIENT_SECRET: 'an-invented-secret' };
  expect(readEnv({ ...enough, ...provider }).OIDC).toEqual({
    issuer: 'https://id.example.com',
    clientId: 'rekindle',
    clientSecret: 'an-invented-secret',
  });
  const { OIDC_CLIENT_SECRET: _secret, ...half } = provider;
  expect(problemsOf({ ...enough, ...half }).problems.map(({ variable, problem }) => `${variable} ${problem}`)).toEqual([
    'OIDC_CLIENT_SECRET is missing, while others of OIDC_* are given',
  ]);
});

test('a location of GoHighLevel is named whole, or what is missing or wrong of it is', () => {
  const location = { GHL_API_KEY: 'pit-an-invented-token', GHL_LOCATION_ID: 've9EPM428h8vShlRW1KT' };
  expect(readEnv({ ...enough, ...location }).GHL).toEqual({ token: location.GHL_API_KEY, locationId: location.GHL_LOCATION_ID });
  const named = (source: Record<string, string>) =>
    problemsOf({ ...enough, ...source }).problems.map(({ variable, problem }) => `${variable} ${problem}`);
  expect(named({ GHL_API_KEY: location.GHL_API_KEY })).toEqual(['GHL_LOCATION_ID is missing, while GHL_API_KEY is given']);
  expect(named({ GHL_LOCATION_ID: location.GHL_LOCATION_ID })).toEqual(['GHL_API_KEY is missing, while GHL_LOCATION_ID is given']);
  expect(named({ ...location, GHL_LOCATION_ID: 'not an id', GHL_API_KEY: 'short' })).toEqual([
    'GHL_API_KEY is no token',
    'GHL_LOCATION_ID is no id of a location',
  ]);
});

test('an API key for Temporal Cloud turns TLS on unless it is said otherwise', () => {
  expect(readEnv({ ...enough, TEMPORAL_API_KEY: 'k' }).TEMPORAL_TLS).toBe(true);
  expect(readEnv({ ...enough, TEMPORAL_API_KEY: 'k', TEMPORAL_TLS: 'false' }).TEMPORAL_TLS).toBe(false);
});

test('everything missing or wrong is named at once, each with a remedy', () => {
  const error = problemsOf({ TEMPORAL_ADDRESS: 'http://temporal', PORT: '70000', LOG_LEVEL: 'loud', SMTP_URL: 'mail.example.com' });
  expect(error.problems.map(({ variable, problem }) => `${variable} ${problem}`).toSorted()).toEqual([
    'DATABASE_URL is missing',
    'LOG_LEVEL is not a log level',
    'PORT is above 65535',
    'REKINDLE_MASTER_KEY is missing',
    'SMTP_URL is not a URL that starts with smtp:// or smtps://',
    'TEMPORAL_ADDRESS is not host:port',
  ]);
  for (const { variable, remedy } of error.problems) {
    expect(remedy).not.toBe('');
    expect(error.message).toContain(`${variable} `);
    expect(error.message).toContain(remedy);
  }
});

test('an empty variable counts as not given', () => {
  expect(readEnv({ ...enough, PORT: '', REKINDLE_TIME_SCALE: ' ' })).toMatchObject({ PORT: 3000, REKINDLE_TIME_SCALE: null });
  expect(problemsOf({ ...enough, DATABASE_URL: '' }).problems).toMatchObject([{ variable: 'DATABASE_URL', problem: 'is missing' }]);
});

test('a master key of the wrong length or alphabet is refused without being repeated', () => {
  const short = Buffer.alloc(16, 7).toString('base64');
  expect(problemsOf({ ...enough, REKINDLE_MASTER_KEY: short }).message).toContain('holds 16 bytes instead of 32');
  expect(problemsOf({ ...enough, REKINDLE_MASTER_KEY: 'not base64!' }).message).toContain('is not base64');
  expect(problemsOf({ ...enough, REKINDLE_MASTER_KEY: short }).message).not.toContain(short);
});

test('a password in a wrong URL does not reach the message', () => {
  expect(problemsOf({ ...enough, DATABASE_URL: 'mysql://root:hunter2@db.example.com' }).message).not.toContain('hunter2');
});

test('the time scale is a number of at least 1 and refused in production, beside all other problems', () => {
  expect(readEnv({ ...enough, REKINDLE_TIME_SCALE: '3600' }).REKINDLE_TIME_SCALE).toBe(3600);
  expect(problemsOf({ ...enough, REKINDLE_TIME_SCALE: '0.5' }).message).toContain('is below 1');
  const production = problemsOf({ NODE_ENV: 'production', REKINDLE_TIME_SCALE: '60', TEMPORAL_ADDRESS: 'x:1', REKINDLE_MASTER_KEY: key });
  expect(production.problems.map((problem) => problem.variable)).toEqual(['DATABASE_URL', 'REKINDLE_TIME_SCALE', 'PUBLIC_URL']);
});

test('in production the public address is https, because one-click unsubscribe is offered for nothing else', () => {
  const production = { ...enough, NODE_ENV: 'production' };
  expect(readEnv({ ...production, PUBLIC_URL: 'https://shop.example.com' }).PUBLIC_URL).toBe('https://shop.example.com');
  for (const [given, problem] of [
    ['', 'is missing, which NODE_ENV=production asks for'],
    ['http://shop.example.com', 'does not start with https://, which NODE_ENV=production asks for'],
    ['shop.example.com', 'is not a URL that starts with http:// or https://'],
  ] as const) {
    const { problems } = problemsOf({ ...production, PUBLIC_URL: given });
    expect(problems.map(({ variable }) => variable)).toEqual(['PUBLIC_URL']);
    expect(problems[0]?.problem).toContain(problem);
  }
  expect(readEnv({ ...enough, PUBLIC_URL: 'http://localhost:3000' }).PUBLIC_URL).toBe('http://localhost:3000');
});

test('origins that may call the API are origins, and never everybody', () => {
  const cors = (value: string) => readEnv({ ...enough, REKINDLE_CORS_ORIGINS: value }).REKINDLE_CORS_ORIGINS;
  expect(cors('https://app.example.com, http://localhost:5173')).toEqual(['https://app.example.com', 'http://localhost:5173']);
  for (const wrong of ['*', 'null', 'https://app.example.com/', 'app.example.com', 'ftp://app.example.com'])
    expect(problemsOf({ ...enough, REKINDLE_CORS_ORIGINS: wrong }).message, wrong).toContain(`has "${wrong}", which is no origin`);
});

test('proxies that are believed are addresses or ranges, and never everybody', () => {
  const proxies = (value: string) => readEnv({ ...enough, REKINDLE_TRUSTED_PROXIES: value }).REKINDLE_TRUSTED_PROXIES;
  expect(proxies('10.0.0.5, 10.20.0.0/16,fd00::/8')).toEqual(['10.0.0.5', '10.20.0.0/16', 'fd00::/8']);
  for (const wrong of ['true', '1', 'proxy.example.com', '0.0.0.0/0', '::/0', '10.0.0.0/33', '*'])
    expect(problemsOf({ ...enough, REKINDLE_TRUSTED_PROXIES: wrong }).message, wrong).toContain(`has "${wrong}", which is neither`);
});

test('the live page is off unless it is asked for', () => {
  expect(readEnv({ ...enough, REKINDLE_LIVE_PAGE: '1' }).REKINDLE_LIVE_PAGE).toBe(true);
  expect(readEnv({ ...enough, REKINDLE_LIVE_PAGE: '0' }).REKINDLE_LIVE_PAGE).toBe(false);
  expect(problemsOf({ ...enough, REKINDLE_LIVE_PAGE: 'yes' }).message).toContain('REKINDLE_LIVE_PAGE is neither 0 nor 1');
});

describe('DKIM', () => {
  const pem = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const dkim = { DKIM_DOMAIN: 'shop.example.com', DKIM_SELECTOR: 'rekindle1', DKIM_PRIVATE_KEY: Buffer.from(pem).toString('base64') };

  test('is read whole, and off where nothing is said', () => {
    expect(readEnv(enough).DKIM).toBeNull();
    expect(readEnv({ ...enough, ...dkim }).DKIM).toMatchObject({ domain: 'shop.example.com', selector: 'rekindle1' });
  });

  test('names every missing part, beside all other problems', () => {
    const { problems } = problemsOf({ ...enough, DATABASE_URL: '', DKIM_DOMAIN: 'shop.example.com' });
    expect(problems.map(({ variable }) => variable)).toEqual(['DATABASE_URL', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY']);
  });

  test.each([
    ['DKIM_PRIVATE_KEY', { DKIM_PRIVATE_KEY: 'hunter2' }],
    ['DKIM_DOMAIN', { DKIM_DOMAIN: 'https://shop.example.com' }],
    ['DKIM_SELECTOR', { DKIM_SELECTOR: 'rekindle 1' }],
  ])('a %s that cannot be used is refused at the start, without being repeated', (variable, wrong) => {
    const error = problemsOf({ ...enough, ...dkim, ...wrong });
    expect(error.problems).toMatchObject([{ variable }]);
    expect(error.message).not.toContain('hunter2');
  });
});

test('stores may have private networks called where whoever runs the installation says so, and not in production unless they do', () => {
  const production = { ...enough, NODE_ENV: 'production', PUBLIC_URL: 'https://rekindle.example.com' };
  expect(readEnv(production).REKINDLE_PRIVATE_ADDRESSES).toEqual([]);
  expect(readEnv({ ...production, REKINDLE_PRIVATE_ADDRESSES: '10.20.0.0/16, fd00::/8' }).REKINDLE_PRIVATE_ADDRESSES).toEqual([
    '10.20.0.0/16',
    'fd00::/8',
  ]);
  expect(readEnv({ ...enough, REKINDLE_PRIVATE_ADDRESSES: 'none' }).REKINDLE_PRIVATE_ADDRESSES).toEqual([]);
  for (const wrong of ['10.20.0.0', '10.20.0.0/33', 'localhost/8', 'fd00::/129'])
    expect(problemsOf({ ...enough, REKINDLE_PRIVATE_ADDRESSES: wrong }).message, wrong).toContain(`has "${wrong}", which is no range`);
  expect(privateAddressesOf({ REKINDLE_PRIVATE_ADDRESSES: [], SMTP_URL: 'smtp://mailbox:1025' })).toEqual({
    kind: 'only',
    ranges: [],
    mailServer: { host: 'mailbox', port: 1025 },
  });
  for (const url of ['smtps://user:password@Mail.example.com', 'smtp://mail.example.com', 'smtp://[fd00::5]:25']) {
    const { host, port } = parseSmtpUrl(url);
    const mailServer = { host: host.toLowerCase(), port };
    expect(privateAddressesOf({ REKINDLE_PRIVATE_ADDRESSES: [], SMTP_URL: url })).toMatchObject({ mailServer });
  }
});

test('the sender of the installation’s own emails is a mailbox', () => {
  const read = (text: string) => readEnv({ ...enough, REKINDLE_MAIL_FROM: text }).REKINDLE_MAIL_FROM;
  expect(read('Tea & Tin <team@shop.example.com>')).toEqual({ name: 'Tea & Tin', address: 'team@shop.example.com' });
  expect(read('team@shop.example.com')).toEqual({ name: 'Rekindle', address: 'team@shop.example.com' });
  for (const wrong of ['Rekindle', 'Rekindle <team>', 'a@example.com, b@example.com']) expect(() => read(wrong)).toThrow('REKINDLE_MAIL_FROM');
});
