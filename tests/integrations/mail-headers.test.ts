import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EmailPayload } from '../../integrations/port.ts';
import { buildMail } from '../../integrations/smtp/build-mail.ts';
import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';
import { createSmtpSender } from '../../integrations/smtp/send.ts';
import { type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';
import { aMail } from './a-mail.ts';
import { deadlineIn } from './sender-conformance.ts';

/** The header as its bytes are, without unfolding: what a program sees that looks for `Name: value` line by line. */
async function fieldsOf(changes: Partial<EmailPayload>): Promise<{ lines: string[]; field: (name: string) => string | undefined; raw: Buffer }> {
  const built = await buildMail(aMail(changes));
  if (built.kind !== 'mail') throw new Error(built.reason);
  const lines = (built.raw.toString('latin1').split('\r\n\r\n')[0] ?? '').split('\r\n');
  const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  return { lines, field, raw: built.raw };
}

const longName = 'Gärtnerei „Zum grünen Daumen“ Inhaberin Friederike Öttinger-Übelhör und Söhne Nachfolger';

describe('fields that programs parse', () => {
  test('stand on one line each, however long their values are', async () => {
    const messageId = `<${'0192f0c1-7a5e-7cc1-9f2e-1c9a5a4f4e11'.repeat(3)}.email_24h@a-long-domain-of-a-shop.${'sub.'.repeat(20)}example.com>`;
    const { lines, field } = await fieldsOf({
      messageId,
      from: { name: longName, address: 'hello@shop.example.com' },
      to: { name: '山田 "太郎" '.repeat(8), address: 'ada@example.com' },
      replyTo: `help-${'x'.repeat(50)}@a-long-domain-of-a-shop.example.com`,
      unsubscribeUrl: `https://shop.example.com/u/${'t'.repeat(400)}`,
      subject: 'A short subject',
    });
    expect(lines.filter((line) => /^[ \t]/.test(line))).toEqual([]);
    expect(field('Message-ID')).toBe(messageId);
    expect(field('Date')).toBe('Fri, 20 Nov 2026 09:30:00 +0000');
    expect(field('From')).toMatch(/^=\?UTF-8\?.* <hello@shop\.example\.com>$/);
    expect(field('To')).toMatch(/ <ada@example\.com>$/);
    expect(field('Reply-To')).toMatch(/@a-long-domain-of-a-shop\.example\.com$/);
    expect(field('List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
    expect(field('Content-Type')).toMatch(/^multipart\/alternative; boundary="[^"]+"$/);
  });

  test('are read by a parser as they were meant, names to the last character', async () => {
    const { raw } = await fieldsOf({ from: { name: longName, address: 'hello@shop.example.com' }, replyTo: 'help@shop.example.com' });
    expect(await PostalMime.parse(raw)).toMatchObject({
      from: { name: longName, address: 'hello@shop.example.com' },
      replyTo: [{ address: 'help@shop.example.com' }],
      messageId: '<0192f0c1.email_2h@mail.example.com>',
    });
  });

  test('no name, however long or odd, makes a line that SMTP does not take, changes the address, or leaves another line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 60 }), async (name, subject) => {
        const { lines, field, raw } = await fieldsOf({ to: { name, address: 'ada@example.com' }, subject });
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
        for (const line of lines) if (!/^(Subject:| )/.test(line)) expect(line).toMatch(/^[A-Z][A-Za-z-]+: [\x20-\x7e]+$/);
        expect(field('To')).toMatch(/(^| <)ada@example\.com>?$/);
        expect((await PostalMime.parse(raw)).to).toMatchObject([{ address: 'ada@example.com' }]);
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  test('a value that is no line of a header is refused, not sent', async () => {
    for (const changes of [{ messageId: '<a\r\nX: y@b>' }, { unsubscribeUrl: 'https://shop.example.com/ü' }])
      expect(await buildMail(aMail(changes))).toMatchObject({ kind: 'unusable', part: 'other' });
  });
});

describe('text that looks like an encoded word', () => {
  const looksEncoded = [
    '=?utf-8?Q?=47ift?=',
    'Mug =?utf-8?B?R2lmdA==?= blue',
    '=?utf-8?X?x?=',
    '=?iso-8859-1?q?a b?=',
    'a =? b',
    '=?utf-8?Q?=47?= =?utf-8?Q?=48?=',
  ];

  test.each(looksEncoded)('%j arrives as it is written, in subject and names', async (text) => {
    const { raw } = await fieldsOf({
      subject: text,
      to: { name: text, address: 'ada@example.com' },
      from: { name: text, address: 'hello@shop.example.com' },
    });
    expect(await PostalMime.parse(raw)).toMatchObject({ subject: text, to: [{ name: text }], from: { name: text } });
  });

  test.each([...looksEncoded, '山田 "太郎"', 'O’Neil, "Ada"', 'Tea & Tin', 'plain name'])(
    'no encoded word stands inside quotes: %j',
    async (name) => {
      const { field } = await fieldsOf({ to: { name, address: 'ada@example.com' } });
      expect(field('To')).not.toMatch(/"[^"]*=\?[^"]*"/);
    },
  );
});

describe('a local part that needs quotes', () => {
  let server: SmtpServer;
  beforeEach(async () => {
    server = await startSmtpServer();
  });
  afterEach(() => server.close());

  test.each([
    ['aki..tani.@docomo.example', '"aki..tani."@docomo.example'],
    ['.aki@docomo.example', '".aki"@docomo.example'],
    ['"aki..tani."@docomo.example', '"aki..tani."@docomo.example'],
    ['"ada"@example.com', 'ada@example.com'],
    ['"ada example"@example.com', '"ada example"@example.com'],
    [String.raw`"a\"b\\c"@example.com`, String.raw`"a\"b\\c"@example.com`],
    ["o'neil+tag_1@example.com", "o'neil+tag_1@example.com"],
  ])('%s reaches the server and the header as %s', async (address, written) => {
    const commands: string[] = [];
    const session = await createSmtpSender(parseSmtpUrl(server.url)).open();
    expect(await session.send(aMail({ to: { name: null, address } }), 'enrollment:step', deadlineIn(3_000))).toMatchObject({ kind: 'accepted' });
    const mail = await server.waitForMail();
    commands.push(...mail.envelope.to);
    expect(commands).toEqual([written]);
    const { field } = await fieldsOf({ to: { name: null, address } });
    expect(field('To')).toBe(written.startsWith('"') ? `<${written}>` : written);
    expect((await fieldsOf({ to: { name: 'Aki Tani', address } })).field('To')).toBe(`Aki Tani <${written}>`);
  });

  test.each(['ada example@example.com', 'a@b@example.com', '"a"b"@example.com', '"a<b>"@example.com', '""@example.com', '"a\r\nb"@example.com'])(
    'none is invented for %j',
    async (address) => {
      expect(await buildMail(aMail({ to: { name: null, address } }))).toMatchObject({ kind: 'unusable', part: 'address' });
    },
  );

  test('a sender or a reply address is quoted as well', async () => {
    const { field } = await fieldsOf({ from: { name: 'Shop', address: 'sho..p@docomo.example' }, replyTo: 'help.@docomo.example' });
    expect(field('From')).toBe('Shop <"sho..p"@docomo.example>');
    expect(field('Reply-To')).toBe('<"help."@docomo.example>');
  });
});
