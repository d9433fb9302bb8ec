import { unwrap } from '../sdk/index.ts';
import { type Command, required } from './command.ts';
import { receiptLines } from './erasures.ts';
import { waitUntil } from './wait-until.ts';

/** Forget a person. */
export const erase: Command = {
  summary: 'erase a person: every sequence ends, their data goes, a receipt stays',
  usage: `rekindle erase <contact id> [--dry-run] [--no-wait]

--dry-run   count what is there, and change nothing
--no-wait   do not wait for the receipt: rekindle erasures shows it

It needs the role admin. Their addresses stay closed, as hashes, should a shop name them again.`,
  options: { 'dry-run': { type: 'boolean' }, 'no-wait': { type: 'boolean' } },
  example: 'rekindle erase 0198c3f2-7d1a-7000-8000-1c2b3a495867 --dry-run',
  destroys: 'Every sequence of the person ends, and their data is deleted everywhere. It cannot be brought back.',
  takes: 1,
  async run({ store, args: [id], options }) {
    const contact = required(id, 'The contact’s id');
    const begun = unwrap(await store.erasures.request(contact, { dry_run: options['dry-run'] === true }));
    if ('dry_run' in begun) {
      const { enrollments, open_enrollments: open, contacts, identities, subjects, messages } = begun;
      const line = `It would erase ${contacts} contacts with ${identities} identities, ${subjects} subjects, ${messages} messages and ${enrollments} enrollments, of which ${open} would end.`;
      return { data: begun, lines: [line, 'Nothing was changed.'] };
    }
    if (options['no-wait'] === true) return { data: begun, lines: receiptLines(begun) };
    let data = begun;
    await waitUntil('The erasure', async () => {
      data = unwrap(await store.erasures.get(begun.id));
      return data.state !== 'running';
    });
    return { data, lines: receiptLines(data), failed: data.state !== 'done' };
  },
};
