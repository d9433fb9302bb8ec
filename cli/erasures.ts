import { asGiven, collect, type Command, type Row, shown, sorted, sortOption } from './command.ts';

/** People who were forgotten. */
export const erasures: Command = {
  summary: 'people who were erased, and the receipts',
  usage: `rekindle erasures [--state <state>]   the latest first

--state   running, done or incomplete: something of theirs was found afterwards, and rekindle erase tries again

It needs the role admin.`,
  options: {
    ...sortOption,
    state: { type: 'string' },
  },
  example: 'rekindle erasures --state incomplete',
  takes: 0,
  async run({ store, options }) {
    const { state } = options;
    const data = await collect(store.erasures.all(asGiven({ ...(state === undefined ? {} : { state }), ...sorted(options) })));
    return { data, lines: data.length === 0 ? ['Nobody was erased.'] : data.flatMap((row) => receiptLines(row)) };
  },
};

const counts = (rows: Record<string, number>) =>
  Object.entries(rows)
    .map(([table, n]) => `${n} ${table}`)
    .join(', ');

/** A receipt for people: what was done, what stays, and what was found. */
export function receiptLines(receipt: Row): string[] {
  const { waits_for: waits, erased, kept, searched, found, histories } = receipt;
  const rows = found as { table: string; column: string; rows: number }[];
  return [
    `${shown(receipt['id'])}  ${shown(receipt['state'])}  contact ${shown(receipt['contact'])}  asked for ${shown(receipt['requested_at'])} by ${shown(receipt['requested_by'])}`,
    ...(waits === null ? [] : [`  waits for: ${shown(waits)}`]),
    ...(Object.keys(erased as object).length === 0
      ? []
      : [`  erased: ${counts(erased as Record<string, number>)}; ${shown(histories)} workflow histories`]),
    ...(kept as { table: string; rows: number; why: string }[])
      .filter((row) => row.rows > 0)
      .map((row) => `  stays: ${row.rows} ${row.table}. ${row.why}`),
    ...(searched === null ? [] : [`  searched: ${counts(searched as Record<string, number>)}`]),
    ...rows.map(({ table, column, rows: n }) => `  still found: ${n} rows in ${table}.${column}`),
  ];
}
