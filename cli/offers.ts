import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';
import { readText } from './sequence-file.ts';

const line = (row: Row) => {
  const redeemed = row['redeemed_at'] === null ? '' : `, redeemed by order ${shown(row['redeemed_order'])}`;
  return `${shown(row['id'])}  …${shown(row['code_ends_with'])}  ${shown(row['percent_off'])}%  ${shown(row['state'])}  ${shown(row['sequence'])}/${shown(row['step'])}, until ${shown(row['ends_at'])}${redeemed}`;
};
const counts = (row: Row) => `${shown(row['free'])} free, ${shown(row['given'])} given, ${shown(row['expired'])} expired`;

/** Codes come one a line, or with commas between them, as shops export them. */
function codesIn(file: string): string[] {
  const codes = readText(file).split(/[\s,;"]+/);
  return codes.filter((code) => code !== '');
}

/** As many as one request takes. */
const mostAtOnce = 5_000;

export const offers: Command = {
  summary: 'discounts for single persons: what was granted, the pool of codes',
  usage: `rekindle offers [--code CODE]               what was granted, the latest first
rekindle offers revoke <id>                 take one back
rekindle offers codes                       how many codes are left
rekindle offers codes FILE [--expires TIME] add the codes of a file, one a line`,
  options: {
    ...sortOption,
    code: { type: 'string' },
    expires: { type: 'string' },
  },
  example: 'rekindle offers codes codes.txt --expires 2027-01-31T00:00:00Z',
  destroys: { revoke: 'A revoked offer cannot be given back.' },
  takes: { revoke: 1, codes: 1 },
  async run({ store, args: [action, target], options }) {
    switch (action) {
      case undefined: {
        const data = await collect(
          store.offers.all({ ...(typeof options['code'] === 'string' ? { code: options['code'] } : {}), ...sorted(options) }),
        );
        return { data, lines: data.length === 0 ? ['No offer was granted.'] : data.map(line) };
      }
      case 'revoke': {
        const data = unwrap(await store.offers.revoke(required(target, 'The offer’s id')));
        const held = data.sent ? ['The person may have it: the message was sent.'] : [];
        return { data, lines: [line(data), ...held] };
      }
      case 'codes': {
        if (target === undefined) {
          const data = unwrap(await store.offers.codes());
          return { data, lines: [counts(data)] };
        }
        const codes = codesIn(target);
        if (codes.length === 0) throw new UsageError(`${target} has no codes in it.`);
        let data: Row = {};
        let added = 0;
        for (let from = 0; from < codes.length; from += mostAtOnce) {
          const expires_at = typeof options['expires'] === 'string' ? options['expires'] : null;
          const part = unwrap(await store.offers.addCodes({ codes: codes.slice(from, from + mostAtOnce), expires_at }));
          added += part.added;
          data = part;
        }
        return { data: { ...data, added }, lines: [`${added} added: ${counts(data)}`] };
      }
      default:
        throw new UsageError('Say revoke or codes, or nothing for the list.');
    }
  },
};
