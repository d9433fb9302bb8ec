import Fastify from 'fastify';
import pg from 'pg';

// The floor of a list: a Fastify route that reads one row by its key within a transaction of a tenant. As a process of its own, like the API.
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
const { rows } = await pool.query<{ tenant_id: string; id: string }>('select tenant_id, id from contacts limit 1');
const [one] = rows;
if (one === undefined) throw new Error('there is no contact to read');
const app = Fastify();
app.get('/', async () => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('app.tenant', $1, true)`, [one.tenant_id]);
    const found = await client.query('select * from contacts where tenant_id = $1 and id = $2', [one.tenant_id, one.id]);
    await client.query('commit');
    return found.rows[0] as unknown;
  } finally {
    client.release();
  }
});
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
process.on('SIGTERM', () => process.exit(0));
process.send?.('ready');
