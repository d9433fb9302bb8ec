import { once } from 'node:events';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EmailPayload, SendOutcome } from '../../integrations/port.ts';
import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';
import { createSmtpSender } from '../../integrations/smtp/send.ts';
import { type Fault, type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';
import { aMail } from './a-mail.ts';
import { deadlineIn } from './sender-conformance.ts';

let server: SmtpServer;
beforeEach(async () => {
  server = await startSmtpServer();
});
afterEach(() => server.close());

async function send(changes: Partial<EmailPayload> = {}, url = server.url): Promise<SendOutcome> {
  const session = await createSmtpSender(parseSmtpUrl(url)).open();
  try {
    return await session.send(aMail(changes), 'enrollment:step', deadlineIn(3_000));
  } finally {
    session.close();
  }
}

async function sent(
  changes: Partial<EmailPayload> = {},
): Promise<{ raw: string; headers: string[]; mail: Awaited<ReturnType<typeof PostalMime.parse>> }> {
  expect(await send(changes)).toMatchObject({ kind: 'accepted' });
  const { raw } = await server.waitForMail();
  const text = raw.toString('latin1');
  const headers = (text.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return { raw: text, headers, mail: await PostalMime.parse(raw) };
}

describe('the email', () => {
  test('arrives with both bodies, its Message-ID and its date', async () => {
    const { mail } = await sent({ replyTo: 'help@shop.example.com' });
    expect(mail).toMatchObject({
      messageId: '<0192f0c1.email_2h@mail.example.com>',
      date: '2026-11-20T09:30:00.000Z',
      from: { name: 'Tea & Tin', address: 'hello@shop.example.com' },
      to: [{ name: 'Ada Example', address: 'ada@example.com' }],
      replyTo: [{ address: 'help@shop.example.com' }],
      subject: 'Your cart is waiting',
    });
    expect(mail.text?.trim()).toBe('Your tea is waiting.');
    expect(mail.html).toContain('<b>waiting</b>');
    expect(server.accepted[0]?.envelope).toEqual({ from: 'hello@shop.example.com', to: ['ada@example.com'] });
  });

  test('carries one-click unsubscribe unfolded, however long the URL is', async () => {
    const unsubscribeUrl = `https://shop.example.com/u/${'t'.repeat(300)}`;
    const { raw } = await sent({ unsubscribeUrl });
    expect(`\r\n${raw}`).toContain(`\r\nList-Unsubscribe: <${unsubscribeUrl}>\r\n`);
    expect(raw).toContain('\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
  });

  test('to a colleague has no header for unsubscribing', async () => {
    const { raw } = await sent({ unsubscribeUrl: null });
    expect(raw).not.toMatch(/^List-Unsubscribe/im);
  });

  test('is the same bytes whenever the same payload is sent', async () => {
    await send({ subject: 'Grüße 🫖' });
    await send({ subject: 'Grüße 🫖' });
    expect(server.accepted[1]?.raw.equals(server.accepted[0]?.raw ?? Buffer.alloc(0))).toBe(true);
  });

  test('carries names, subjects and bodies of any script through a 7-bit server', async () => {
    const { raw, mail } = await sent({
      from: { name: 'Łódź & Söhne GmbH', address: 'hello@shop.example.com' },
      to: { name: '山田 "太郎"', address: 'ada@example.com' },
      subject: 'Ihr Warenkorb 🫖 wartet — カート',
      html: '<p>Grüße 🫖</p>',
      text: 'Grüße 🫖\n.\n.. dots and a very long line '.repeat(20),
    });
    expect(raw).toMatch(/^[\x00-\x7f]*$/);
    expect(mail.from).toMatchObject({ name: 'Łódź & Söhne GmbH' });
    expect(mail.to?.[0]).toMatchObject({ name: '山田 "太郎"', address: 'ada@example.com' });
    expect(mail.subject).toBe('Ihr Warenkorb 🫖 wartet — カート');
    expect(mail.html).toContain('Grüße 🫖');
    expect(mail.text?.trim()).toBe('Grüße 🫖\n.\n.. dots and a very long line '.repeat(20).trim());
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  });

  test('keeps lines of dots, which end a message in SMTP', async () => {
    const text = '.\n..\nnot the end\n.\n';
    const { mail } = await sent({ text, html: '<p>.</p>' });
    expect(mail.text?.trimEnd()).toBe(text.trimEnd());
    expect(server.accepted).toHaveLength(1);
  });

  test.each([
    ['subject', { subject: 'Hi\r\nBcc: eve@example.com\r\n\r\nbody' }],
    ['name of the recipient', { to: { name: 'Ada\r\nBcc: eve@example.com', address: 'ada@example.com' } }],
    ['name of the sender', { from: { name: 'Shop\nBcc: eve@example.com', address: 'hello@shop.example.com' } }],
    ['name that looks like an address', { to: { name: 'eve@example.com>, <x', address: 'ada@example.com' } }],
    ['unusual line break', { subject: 'Hi\u2028Bcc: eve@example.com\u0085\v\f\0' }],
  ])('takes no header from a %s', async (_where, changes) => {
    const { headers, mail } = await sent(changes);
    const names = headers.map((line) => line.split(':')[0] ?? '').toSorted();
    expect(names).toEqual([
      'Content-Type',
      'Date',
      'From',
      'List-Unsubscribe',
      'List-Unsubscribe-Post',
      'MIME-Version',
      'Message-ID',
      'Subject',
      'To',
    ]);
    expect(mail.to).toHaveLength(1);
    expect(mail.to?.[0]?.address).toBe('ada@example.com');
    expect(server.accepted[0]?.envelope.to).toEqual(['ada@example.com']);
  });

  test('goes to the ASCII form of an international domain', async () => {
    await sent({ to: { name: null, address: 'ada@bücher.example.com' } });
    expect(server.accepted[0]?.envelope.to).toEqual(['ada@xn--bcher-kva.example.com']);
  });
});

describe('what is refused without a call', () => {
  test.each([
    'adä@example.com',
    'ada@example.com\r\nRCPT TO:<eve@example.com>',
    'ada@example.com> <eve@example.com',
    'ada@example.com, eve@example.com',
    'ada example@example.com',
    'ada',
    '@example.com',
    'ada@',
    'ada@exa mple.com',
    'ada@example..com',
    `${'a'.repeat(65)}@example.com`,
    '',
  ])('the recipient %j, for good', async (address) => {
    expect(await send({ to: { name: null, address } })).toMatchObject({ kind: 'refused', severity: 'hard' });
    expect(server.accepted).toEqual([]);
  });

  test.each<[string, Partial<EmailPayload>]>([
    ['sender', { from: { name: 'Shop', address: 'hello@shop.example.com\r\nX: y' } }],
    ['reply address', { replyTo: 'help' }],
    ['Message-ID', { messageId: '<a@b>\r\nX-Injected: 1' }],
    ['unsubscribe URL', { unsubscribeUrl: 'https://shop.example.com/u>\r\nX-Injected: 1' }],
    ['unsubscribe scheme', { unsubscribeUrl: 'javascript:alert(1)' }],
  ])('an unusable %s, without blaming the recipient', async (_part, changes) => {
    expect(await send(changes)).toMatchObject({ kind: 'refused', severity: 'soft' });
    expect(server.accepted).toEqual([]);
  });
});

describe('a refusal by the server', () => {
  test.each<[Fault['at'], string, 'hard' | 'soft']>([
    ['rcpt', '550 no such user here', 'hard'],
    ['rcpt', '550 5.1.1 unknown', 'hard'],
    ['rcpt', '551 moved away', 'hard'],
    ['rcpt', '553 mailbox name invalid', 'hard'],
    ['rcpt', '556 5.1.10 takes no mail', 'hard'],
    ['rcpt', '550 5.7.1 blocked by policy', 'soft'],
    ['rcpt', '550 relaying denied', 'soft'],
    ['rcpt', '552 5.2.2 mailbox full', 'soft'],
    ['rcpt', '450 4.2.1 greylisted', 'soft'],
    ['rcpt', '421 4.3.2 shutting down', 'soft'],
    ['mail', '550 5.1.1 sender unknown', 'soft'],
    ['mail', '421 busy', 'soft'],
    ['data', '554 5.7.1 not today', 'soft'],
    ['dot', '451 4.7.1 greylisted', 'soft'],
    ['dot', '554 5.7.1 looks like spam', 'soft'],
    ['dot', '550 5.1.1 no such mailbox after all', 'hard'],
    ['dot', '421 4.3.2 shutting down', 'soft'],
  ])('at %s with %j is %s', async (at, reply, severity) => {
    server.script({ at, act: { reply } });
    expect(await send()).toMatchObject({ kind: 'refused', severity });
    expect(server.accepted).toEqual([]);
  });

  test('keeps the words of the server, on one line', async () => {
    server.script({ at: 'dot', act: { reply: '451-first\r\n451 second' } });
    expect(await send()).toMatchObject({ response: '451-first 451 second' });
  });

  test('stands where the server confirms what it has not got yet', async () => {
    server.script({ at: 'data', act: { reply: '354 go on\r\n250 2.0.0 taken already' } });
    expect(await send()).toMatchObject({ kind: 'refused', severity: 'soft' });
    expect(server.accepted).toEqual([]);
  });

  test('is none when the reply never ends', async () => {
    server.script({ at: 'dot', act: { reply: '451-half' }, taking: true }, null);
    const session = await createSmtpSender(parseSmtpUrl(server.url)).open();
    const outcome = await session.send(aMail(), 'enrollment:step', deadlineIn(150));
    expect(outcome.kind).toBe('unknown');
  });
});

test('what the kernel still holds at the deadline is not delivered afterwards', async () => {
  server.script({ at: 'body', act: 'stall' });
  const session = await createSmtpSender(parseSmtpUrl(server.url)).open();
  // More than the server's side holds, less than both sides together: its end waits on ours.
  const text = `${'tea '.repeat(17)}\n`.repeat(14_000);
  // Long enough to build a message of this size on a busy machine.
  const outcome = await session.send(aMail({ text }), 'enrollment:step', deadlineIn(2_000));
  // Refused where the buffers are so small that the end was never given out.
  expect(['unknown', 'refused']).toContain(outcome.kind);
  session.close();
  const closed = server.allClosed();
  server.resume();
  await closed;
  expect(server.accepted).toEqual([]);
});

describe('opening', () => {
  test.each<[string, Fault]>([
    ['greets with a refusal', { at: 'greeting', act: { reply: '554 go away' } }],
    ['greets with 421', { at: 'greeting', act: { reply: '421 busy' } }],
    ['closes at the greeting', { at: 'greeting', act: 'close' }],
    ['resets at the greeting', { at: 'greeting', act: 'reset' }],
    ['closes at EHLO', { at: 'ehlo', act: 'close' }],
    ['answers 421 to EHLO', { at: 'ehlo', act: { reply: '421 busy' } }],
    ['never greets', { at: 'greeting', act: 'hang' }],
    ['never answers EHLO', { at: 'ehlo', act: 'hang' }],
    ['trickles its greeting', { at: 'greeting', act: 'pass', byteDelayMs: 100 }],
  ])('fails when the server %s', async (_what, fault) => {
    server.script(fault);
    await expect(createSmtpSender(parseSmtpUrl(server.url), { openTimeoutMs: 150 }).open()).rejects.toMatchObject({ code: 'smtp_open_failed' });
  });

  test('fails where nothing listens', async () => {
    await server.close();
    await expect(createSmtpSender(parseSmtpUrl(server.url)).open()).rejects.toMatchObject({ code: 'smtp_open_failed' });
  });

  test('a server that hangs up between opening and sending refuses', async () => {
    const session = await createSmtpSender(parseSmtpUrl(server.url)).open();
    await server.close();
    expect(await session.send(aMail(), 'enrollment:step', deadlineIn(1_000))).toMatchObject({ kind: 'refused', severity: 'soft' });
  });

  test('logs in where the URL says so, and fails with a wrong password', async () => {
    const guarded = await startSmtpServer({ login: { user: 'shop@example.com', password: 'p@ss/word' } });
    try {
      expect(await send({}, guarded.url)).toMatchObject({ kind: 'accepted' });
      expect(await send({}, `smtp://127.0.0.1:${guarded.port}`)).toMatchObject({ kind: 'refused', severity: 'soft' });
      await expect(send({}, `smtp://shop%40example.com:wrong@127.0.0.1:${guarded.port}`)).rejects.toThrow('535');
    } finally {
      await guarded.close();
    }
  });

  test('does not send a password to a server that offers no login', async () => {
    await expect(send({}, `smtp://user:secret@127.0.0.1:${server.port}`)).rejects.toThrow('offers no login');
  });
});

describe('with TLS', () => {
  // Another implementation as the far end; its built-in certificate is for localhost and signed by nobody.
  async function withTlsServer(
    secure: boolean,
    run: (port: number, taken: string[], behave: (delay: boolean) => void) => Promise<void>,
  ): Promise<void> {
    const taken: string[] = [];
    let hang = false;
    const tlsServer = new SMTPServer({
      secure,
      authOptional: true,
      logger: false,
      onData(stream, session, done) {
        stream.resume();
        stream.on('end', () => {
          taken.push(`${session.secure ? 'secure' : 'plain'} ${session.envelope.rcptTo[0]?.address}`);
          if (!hang) done();
        });
      },
    });
    tlsServer.on('error', () => {});
    tlsServer.listen(0, '127.0.0.1');
    await once(tlsServer.server, 'listening');
    const address = tlsServer.server.address();
    try {
      await run(typeof address === 'object' && address !== null ? address.port : 0, taken, (delay) => {
        hang = delay;
      });
    } finally {
      await new Promise<void>((resolve) => tlsServer.close(() => resolve()));
    }
  }

  test('STARTTLS is used where it is offered, and the certificate is checked', async () => {
    await withTlsServer(false, async (port, taken) => {
      expect(await send({}, `smtp://127.0.0.1:${port}?tls=unverified`)).toMatchObject({ kind: 'accepted' });
      expect(await send({}, `smtp://127.0.0.1:${port}?tls=off`)).toMatchObject({ kind: 'accepted' });
      await expect(send({}, `smtp://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'smtp_open_failed' });
      expect(taken).toEqual(['secure ada@example.com', 'plain ada@example.com']);
    });
  });

  test('a demanded STARTTLS that is not offered fails', async () => {
    await expect(send({}, `${server.url}?tls=required`)).rejects.toMatchObject({ code: 'smtp_open_failed' });
  });

  test('an unanswered message over TLS is unknown at the deadline, and the connection is gone', async () => {
    await withTlsServer(false, async (port, taken, behave) => {
      behave(true);
      const session = await createSmtpSender(parseSmtpUrl(`smtp://127.0.0.1:${port}?tls=unverified`)).open();
      expect(await session.send(aMail(), 'enrollment:step', deadlineIn(200))).toMatchObject({ kind: 'unknown' });
      expect(taken).toEqual(['secure ada@example.com']);
    });
  });

  test('smtps:// checks the certificate', async () => {
    await withTlsServer(true, async (port) => {
      await expect(send({}, `smtps://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'smtp_open_failed' });
    });
  });
});
