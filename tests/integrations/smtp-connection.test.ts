import { describe, expect, test } from 'vitest';
import { createSender } from '../../integrations/index.ts';
import { parseSmtpUrl, type SmtpConfig } from '../../integrations/smtp/connection.ts';

describe('an SMTP URL', () => {
  test.each<[string, SmtpConfig]>([
    ['smtp://127.0.0.1:1025', { host: '127.0.0.1', port: 1025, tls: 'offered', login: null, name: null }],
    ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, tls: 'offered', login: null, name: null }],
    ['smtp://u:p@mail.example.com', { host: 'mail.example.com', port: 587, tls: 'required', login: { user: 'u', password: 'p' }, name: null }],
    ['smtp://u:p@localhost:2525', { host: 'localhost', port: 2525, tls: 'offered', login: { user: 'u', password: 'p' }, name: null }],
    [
      'smtp://u:p@mail.example.com?tls=offered',
      { host: 'mail.example.com', port: 587, tls: 'offered', login: { user: 'u', password: 'p' }, name: null },
    ],
    [
      'smtps://a%40example.com:p%2Fw%25@mail.example.com/?name=shop.example.com',
      { host: 'mail.example.com', port: 465, tls: 'implicit', login: { user: 'a@example.com', password: 'p/w%' }, name: 'shop.example.com' },
    ],
    ['smtp://[::1]:25', { host: '::1', port: 25, tls: 'offered', login: null, name: null }],
  ])('%s is understood', (url, config) => {
    expect(parseSmtpUrl(url)).toEqual(config);
  });

  test.each([
    ['', 'is no URL'],
    ['mail.example.com:25', 'begins with'],
    ['http://mail.example.com', 'begins with http:'],
    ['smtp://', 'no host'],
    ['smtp://user@mail.example.com', 'not both'],
    ['smtp://u:p%ZZ@mail.example.com', 'percent-encoded'],
    ['smtp://mail.example.com/inbox', 'path'],
    ['smtp://mail.example.com:0', 'port 0'],
    ['smtp://mail.example.com:99999', 'is no URL'],
    ['smtp://mail.example.com?pool=true', 'pool'],
    ['smtp://mail.example.com?tls=maybe', 'tls'],
    ['smtp://mail.example.com?name=a%0D%0AMAIL', 'name'],
    ['smtps://mail.example.com?tls=off', 'smtps://'],
  ])('%j is refused with its remedy', (url, part) => {
    expect(() => parseSmtpUrl(url)).toThrow(part);
  });

  test('an error never contains the password', () => {
    for (const url of [
      'smtp://u:hunter2@mail.example.com?x=1',
      'smtp://u:hunter2@mail.example.com/path',
      'http://u:hunter2@h',
      'smtp://u:hunter2%ZZ@h',
    ]) {
      let told = '';
      try {
        parseSmtpUrl(url);
      } catch (error) {
        told = String(error);
      }
      expect(told).toContain('SMTP URL');
      expect(told).not.toContain('hunter2');
    }
  });
});

test('the registry creates the sender of a connection, and names what it does not know', () => {
  const sender = createSender({ integration: 'smtp', config: { url: 'smtp://127.0.0.1:1025' } });
  expect(sender).toMatchObject({
    channel: 'email',
    times: { deadlineMs: 8_000, leaseMs: 8_500, deadLeaseMs: 15_000 },
    reconciliation: { kind: 'none' },
  });
  expect(() => createSender({ integration: 'pigeon', config: {} })).toThrow('"pigeon"');
  expect(() => createSender({ integration: 'constructor', config: {} })).toThrow('"constructor"');
  expect(() => createSender({ integration: 'smtp', config: { url: 'mail' } })).toThrow('SMTP URL');
});
