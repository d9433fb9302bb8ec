import { connect } from 'node:net';
import Fastify from 'fastify';
import pg from 'pg';

// The floor of a lead's first message: a Fastify route that stores the lead ad, writes one email to the mail server, and answers 200. As a process of its own.
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
await pool.query(
  'create table if not exists bench_floor_leads (id bigserial primary key, body jsonb not null, at timestamptz not null default now())',
);
const smtp = new URL(process.env['SMTP_URL'] ?? '');
const app = Fastify();
app.post<{ Body: { entry: { changes: { value: { email: string } }[] }[] } }>('/', async ({ body }) => {
  await pool.query('insert into bench_floor_leads (body) values ($1)', [JSON.stringify(body)]);
  await mailTo(body.entry[0]?.changes[0]?.value.email ?? '');
  return {};
});

/** One command after the other, each after the answer to the one before. */
function mailTo(address: string): Promise<void> {
  const lines = ['EHLO bench', 'MAIL FROM:<hello@shop.example.com>', `RCPT TO:<${address}>`, 'DATA', 'Subject: Welcome\r\n\r\nWelcome.\r\n.', 'QUIT'];
  return new Promise((done, refuse) => {
    const socket = connect(Number(smtp.port), smtp.hostname).setNoDelay(true);
    socket.on('error', refuse).on('data', () => {
      const line = lines.shift();
      if (line !== undefined) socket.write(`${line}\r\n`);
      if (line === 'QUIT') done();
    });
  });
}

await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
process.on('SIGTERM', () => process.exit(0));
process.send?.('ready');
