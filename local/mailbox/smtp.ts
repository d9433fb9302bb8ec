import { SMTPServer } from 'smtp-server';
import type { MailStore } from './mail-store.ts';

const maxBytes = 10 * 2 ** 20;

/** Accepts every email for any address, and delivers none. */
export async function startSmtp(options: { store: MailStore; host: string; port: number }): Promise<{ port: number; close(): Promise<void> }> {
  const server = new SMTPServer({
    name: 'mailbox.localhost',
    banner: 'Rekindle mailbox',
    size: maxBytes,
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    // Any name and password will do: programs that insist on logging in are welcome too.
    onAuth: (_auth, _session, done) => done(null, { user: 'anyone' }),
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 2_000,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        // Beyond the limit the rest is read and dropped: the client hears 552 at the end.
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on('error', done);
      stream.on('end', () => {
        if (stream.sizeExceeded) return done(Object.assign(new Error('message exceeds 10 MiB'), { responseCode: 552 }));
        const { mailFrom, rcptTo } = session.envelope;
        const envelope = { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) };
        options.store.add(Buffer.concat(chunks), envelope).then(
          (mail) => done(null, `kept as ${mail.ID}`),
          () => done(Object.assign(new Error('could not be stored, try again'), { responseCode: 451 })),
        );
      });
    },
  });
  // Clients that hang up are normal; without a listener their error would end the process.
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
