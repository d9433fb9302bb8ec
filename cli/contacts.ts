import { writeFile } from 'node:fs/promises';
import { unwrap } from '../sdk/index.ts';
import { waitUntil } from './wait-until.ts';
import { collect, type Command, type Context, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

const search = ({ email, phone, 'external-id': id }: Context['options']) => ({
  ...(typeof id === 'string' ? { external_id: id } : {}),
  ...(typeof email === 'string' ? { email } : {}),
  ...(typeof phone === 'string' ? { phone } : {}),
});

const moved = (merge: Row) =>
  Object.entries(merge['moved'] as Record<string, unknown[]>)
    .filter(([, ids]) => ids.length > 0)
    .map(([what, ids]) => `${ids.length} ${what}`)
    .join(', ');

const line = (merge: Row) =>
  `${shown(merge['merged_at'])}  ${shown(merge['merged_contact'])} became ${shown(merge['kept_contact'])} (${moved(merge)})${
    merge['undone_at'] === null ? '' : `, undone ${shown(merge['undone_at'])} by ${shown(merge['undone_by'])}`
  }`;

const contactLine = (contact: Row) =>
  `${shown(contact['id'])}  ${shown(contact['lifecycle'])}  person ${shown(contact['person'])}  ${shown(contact['country'])}`;

/** People: who they are, who turned out to be the same, and how they are erased. */
export const contacts: Command = {
  summary: 'find people, show all about one, record consent, merge and take apart, export, erase',
  usage: `rekindle contacts [--email <address>] [--phone <number>]          every contact of that person, or all
rekindle contacts --external-id <id>                               by an id of the shop's: of the customer, a cart, a lead or an order
rekindle contacts show <contact id>
rekindle contacts timeline <contact id> [--kind <kind>]            everything about the person, the latest first
rekindle contacts consent <contact id> --channel <channel> --state <granted|denied> [--wording <text>] [--note <text>]
rekindle contacts merge <contact id> --with <contact id> [--note <text>]
rekindle contacts merges [--email <address>] [--phone <number>]   the latest first
rekindle contacts unmerge <contact id> [--merge <id>]              the latest merge of that contact, or the one named
rekindle contacts erase <contact id>                                the whole person, at once: rekindle erase does the same and waits for the receipt
rekindle contacts export <contact id> [--to <file>]                 everything that is stored about the person, as JSON

An opt-out, a purchase and a reply stay with both, and what went out counts for both. Enrollments that the merge ended stay ended: rekindle re-enroll begins one anew.`,
  options: {
    ...sortOption,
    email: { type: 'string' },
    phone: { type: 'string' },
    'external-id': { type: 'string' },
    merge: { type: 'string' },
    with: { type: 'string' },
    kind: { type: 'string' },
    channel: { type: 'string' },
    state: { type: 'string' },
    wording: { type: 'string' },
    note: { type: 'string' },
    to: { type: 'string' },
  },
  example: 'rekindle contacts --email ada@example.com',
  destroys: { erase: 'Every sequence of the person ends, and their data is deleted everywhere. It cannot be brought back.' },
  takes: { show: 1, timeline: 1, consent: 1, merge: 1, merges: 0, unmerge: 1, erase: 1, export: 1 },
  async run({ store, args: [action, id], options }) {
    switch (action) {
      case undefined: {
        const data = await collect(store.contacts.all({ ...search(options), ...sorted(options) }));
        return { data, lines: data.length === 0 ? ['Nobody is known by that.'] : data.map(contactLine) };
      }
      case 'erase': {
        const data = unwrap(await store.contacts.erase(required(id, 'The contact’s id')));
        const counts = Object.entries(data).flatMap(([what, n]) => (typeof n === 'number' && n > 0 ? [`${n} ${what}`] : []));
        return { data, lines: [`Erased: ${counts.join(', ')}. Their addresses stay closed, as hashes.`] };
      }
      case 'export': {
        const begun = unwrap(await store.exports.request(required(id, 'The contact’s id')));
        await waitUntil('the export', async () => unwrap(await store.exports.get(begun.id)).state !== 'running');
        const data = unwrap(await store.exports.download(begun.id));
        const file = options['to'];
        const text = JSON.stringify(data, null, 2);
        if (typeof file !== 'string') return { data, lines: [text] };
        await writeFile(file, `${text}\n`, { mode: 0o600 });
        return {
          data: { ...begun, file },
          lines: [`${file} has ${Object.values(data.tables).flat().length} rows and ${data.deliveries.length} deliveries.`],
        };
      }
      case 'show': {
        const data: Row = unwrap(await store.contacts.get(required(id, 'The contact’s id')));
        return {
          data,
          lines: Object.entries(data).map(([name, value]) => `${name.padEnd(14)}${typeof value === 'object' ? JSON.stringify(value) : shown(value)}`),
        };
      }
      case 'timeline': {
        const kind = options['kind'] === undefined ? {} : { kind: String(options['kind']) as 'message' };
        const data = await collect(store.contacts.allTimeline(required(id, 'The contact’s id'), kind));
        return {
          data,
          lines: data.length === 0 ? ['Nothing is recorded.'] : data.map(({ at, kind: what, sentence }) => `${at}  ${what.padEnd(14)}  ${sentence}`),
        };
      }
      case 'consent': {
        const { channel, state, wording, note } = options;
        if (typeof channel !== 'string') throw new UsageError('Say --channel, such as email, or all for a refusal.');
        if (state !== 'granted' && state !== 'denied') throw new UsageError('Say --state granted or --state denied.');
        const said = { ...(typeof wording === 'string' ? { wording } : {}), ...(typeof note === 'string' ? { note } : {}) };
        const data = unwrap(await store.contacts.recordConsent(required(id, 'The contact’s id'), { channel: channel as 'email', state, ...said }));
        return { data, lines: [`Recorded: ${data.state} for ${data.channel}, stated ${data.stated_at}.`] };
      }
      case 'merge': {
        const other = required(typeof options['with'] === 'string' ? options['with'] : undefined, 'The other contact’s id (--with)');
        const note = typeof options['note'] === 'string' ? { note: options['note'] } : {};
        const data = unwrap(await store.contacts.merge(required(id, 'The contact’s id'), { with: other, ...note }));
        return { data, lines: [line(data)] };
      }
      case 'merges': {
        const data = await collect(store.contacts.allMerges(search(options)));
        return { data, lines: data.length === 0 ? ['Nobody turned out to be the same as somebody else.'] : data.map(line) };
      }
      case 'unmerge': {
        const body = typeof options['merge'] === 'string' ? { merge: options['merge'] } : {};
        const data = unwrap(await store.contacts.unmerge(required(id, 'The contact’s id'), body));
        return { data, lines: [line(data)] };
      }
      default:
        throw new UsageError('Say show, timeline, consent, merge, merges, unmerge, export or erase.');
    }
  },
};
