import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

export const conversions: Command = {
  summary: 'what trackers report: sales, refusals, and those whose lead is not known',
  usage: `rekindle conversions [--unmatched] [--lead ID] [--campaign ID] [--outcome sale]   the newest first
rekindle conversions match <id> --lead <lead>                    it is this lead's, and so is all of the same click
rekindle conversions report <sub id> --status sale [--payout 30.50] [--currency EUR] [--tid ID]

A sale ends everything that runs for its lead, at once; a refusal takes it back. The sub id is that of an attempt or of a lead, or what the lead's
source or its tracker calls it. Each status of a transaction counts once.

--outcome, --status   sale, rebill, reject, lead, registration`,
  example: 'rekindle conversions --unmatched',
  takes: { list: 0, match: 1, report: 1 },
  options: {
    ...sortOption,
    ...Object.fromEntries(['lead', 'campaign', 'outcome', 'status', 'payout', 'currency', 'tid'].map((name) => [name, { type: 'string' as const }])),
    unmatched: { type: 'boolean' },
  },
  async run({ store, args: [action = 'list', target], options }): Promise<Answer> {
    switch (action) {
      case 'list': {
        const { lead, campaign, outcome } = options;
        const query = { limit: 100, lead, campaign, outcome, ...(options['unmatched'] === true ? { matched: 'false' } : {}) };
        const data = await collect(store.conversions.all(asGiven({ ...query, ...sorted(options) })));
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'match': {
        const id = required(target, 'The conversion’s id');
        const data = unwrap(await store.conversions.match(id, { lead: required(options['lead'], 'The lead’s id (--lead)') }));
        return { data, lines: [lineOf(data)] };
      }
      case 'report': {
        const { payout, currency, tid } = options;
        const stated = Object.fromEntries(Object.entries({ payout, currency, tid }).filter(([, value]) => value !== undefined));
        const body = { sub_id: required(target, 'The sub id'), status: required(options['status'], '--status'), ...stated };
        const data = unwrap(await store.conversions.report(asGiven(body)));
        return { data, lines: [`${lineOf(data.conversion)}${data.repeated ? '  (known already)' : ''}`] };
      }
      default:
        throw new UsageError(`conversions has no command "${action}".`);
    }
  },
};

function lineOf(conversion: Row): string {
  const { id, status, lead, click, revenue, reversedAt, reportedAt } = conversion;
  const amount = revenue === null ? '' : `  ${shown((revenue as Row)['amountMinor'])} minor units ${shown((revenue as Row)['currency'])}`;
  const whose = lead === null ? `nobody’s yet, click ${shown(click)}` : `lead ${shown(lead)}`;
  return `${shown(id)}  ${shown(reportedAt)}  ${shown(status)}${amount}  ${whose}${reversedAt === null ? '' : '  (taken back)'}`;
}
