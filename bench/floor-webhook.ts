import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';

// The floor of a webhook: Fastify, BEGIN, set the tenant, one insert, COMMIT, 200. As a process of its own, like the API.
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
await pool.query(
  'create table if not exists bench_floor (tenant_id uuid not null, id uuid primary key, body jsonb not null, at timestamptz not null default now())',
);
const app = Fastify();
app.post('/', async (request) => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('app.tenant', $1, true)`, ['01a1fd43-9600-71a9-9d36-033d420ea5b3']);
    await client.query('insert into bench_floor (tenant_id, id, body) values ($1, $2, $3)', [
      '01a1fd43-9600-71a9-9d36-033d420ea5b3',
      randomUUID(),
      JSON.stringify(request.body),
    ]);
    await client.query('commit');
  } finally {
    client.release();
  }
  return { status: 'applied' };
});
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
process.on('SIGTERM', () => process.exit(0));
process.send?.('ready');
