import Fastify from 'fastify';
import pg from 'pg';

// The floor of an answer in a chat: a Fastify route that stores the update, asks the Bot API to send one message, and answers 200. As a process of its own.
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
await pool.query(
  'create table if not exists bench_floor_updates (id bigint primary key, body jsonb not null, at timestamptz not null default now())',
);
const app = Fastify();
app.post<{ Body: { update_id: number; message: { chat: { id: number } } } }>('/', async ({ body }) => {
  await pool.query('insert into bench_floor_updates (id, body) values ($1, $2)', [body.update_id, JSON.stringify(body)]);
  const response = await fetch(process.env['SEND_MESSAGE_URL'] ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ chat_id: body.message.chat.id, text: 'hello' }),
  });
  await response.arrayBuffer();
  return {};
});
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
process.on('SIGTERM', () => process.exit(0));
process.send?.('ready');
