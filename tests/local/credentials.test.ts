import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { masterKey, readCredentials, writeCredentials } from '../../local/credentials.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rekindle-credentials-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

const credentials = {
  apiUrl: 'http://localhost:3000',
  apiKey: 'rk_x',
  tenant: 'store',
  webhooks: { shopify: { url: 'http://localhost:3000/a', secret: 's' }, generic: { url: 'http://localhost:3000/b', secret: 'whsec_eA==' } },
};
const modeOf = (name: string) => statSync(join(dir, name)).mode & 0o777;

test('credentials can be read back, by their owner only', () => {
  writeCredentials(dir, credentials);
  expect(readCredentials(dir)).toEqual(credentials);
  expect(modeOf('credentials.json')).toBe(0o600);
});

test('webhooks of lead ads and of a tracker are among them, and a file of a build before these still opens the store', () => {
  const meta = { url: 'http://localhost:3000/c', secret: 's', verifyToken: 'v' };
  const whole = { ...credentials, webhooks: { ...credentials.webhooks, meta, keitaro: { url: 'http://localhost:3000/d' } } };
  writeCredentials(dir, whole);
  expect(readCredentials(dir)).toEqual(whole);
});

test('a file that was open to others is closed when it is written again', () => {
  writeFileSync(join(dir, 'credentials.json'), '{}', { mode: 0o644 });
  writeCredentials(dir, credentials);
  expect(modeOf('credentials.json')).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['credentials.json']);
});

test.each(['', '{', '{"apiUrl":"http://localhost:3000"}'])('a damaged file (%j) reads as none', (content) => {
  writeFileSync(join(dir, 'credentials.json'), content);
  expect(readCredentials(dir)).toBeNull();
});

test('the master key is made once, 32 random bytes, and stays private', () => {
  const key = masterKey(dir);
  expect(Buffer.from(key, 'base64')).toHaveLength(32);
  chmodSync(join(dir, 'master.key'), 0o644);
  expect(masterKey(dir)).toBe(key);
  expect(modeOf('master.key')).toBe(0o600);
});

test('a damaged master key is never replaced: what it sealed would be lost', () => {
  writeFileSync(join(dir, 'master.key'), 'short');
  expect(() => masterKey(dir)).toThrow(/master\.key is damaged.*--fresh/);
  expect(readFileSync(join(dir, 'master.key'), 'utf8')).toBe('short');
});
