import type { QueryResultRow } from 'pg';
import type { Tx } from '../../db/client.ts';

/**
 * Read a query's rows page by page through a cursor, so that memory does not depend on their number.
 * @param name - of the cursor; one at a time in a transaction
 * @param text - without parameters, which a cursor cannot have
 */
export async function eachPage<R extends QueryResultRow>(
  tx: Tx,
  name: string,
  text: string,
  size: number,
  work: (rows: R[]) => Promise<void>,
): Promise<void> {
  await tx.$client.query(`declare ${name} no scroll cursor for ${text}`);
  for (;;) {
    const { rows } = await tx.$client.query<R>(`fetch ${size} from ${name}`);
    if (rows.length > 0) await work(rows);
    if (rows.length < size) break;
  }
  await tx.$client.query(`close ${name}`);
}
