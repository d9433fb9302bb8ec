import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, required, type Row, shown, UsageError } from './command.ts';

const searches = ['email', 'phone', 'subject', 'external-id'] as const;
const fieldOf = { email: 'email', phone: 'phone', subject: 'subject_id', 'external-id': 'external_id' } as const;

export const reEnroll: Command = {
  summary: 'start a sequence by hand: again after it has ended, or for somebody who was never in it',
  usage: `rekindle re-enroll <enrollment id> [--note TEXT]
rekindle re-enroll --email ADDRESS | --phone NUMBER | --subject ID | --external-id ID [--sequence SLUG] [--note TEXT]

It makes a new enrollment with steps of its own, counted from now: a step that went out in an earlier one goes out again.
It is refused, and says why, for whoever has opted out, is suppressed, has bought, or is in that sequence already.
--key KEY   repeat a call with the same key and it starts nothing twice; without it each call has a key of its own`,
  example: 'rekindle re-enroll --email ada@example.com --sequence cart --note "asked for it by telephone"',
  takes: 1,
  options: Object.fromEntries([...searches, 'sequence', 'note', 'key'].map((name) => [name, { type: 'string' as const }])),
  async run({ store, args: [id], options }) {
    const search = Object.fromEntries(searches.flatMap((name) => (options[name] === undefined ? [] : [[fieldOf[name], options[name]]])));
    if (Object.keys(search).length + (id === undefined ? 0 : 1) > 1)
      throw new UsageError('Say one thing: an enrollment’s id, or one of --email, --phone, --subject and --external-id.');
    if (Object.keys(search).length === 0) required(id, 'The enrollment’s id, or --email, --phone, --subject or --external-id,');
    if (id !== undefined && options['sequence'] !== undefined) throw new UsageError('An enrollment has its sequence: leave --sequence out.');
    const note = options['note'] === undefined ? {} : { note: options['note'] };
    const once = options['key'] === undefined ? {} : { idempotencyKey: String(options['key']) };
    const sequence = options['sequence'] === undefined ? {} : { sequence: options['sequence'] };
    const data: Row = unwrap(
      id === undefined
        ? await store.enrollments.create(asGiven({ ...search, ...note, ...sequence }), once)
        : await store.enrollments.reEnroll(id, asGiven(note), once),
    );
    const next = (data['next_step'] ?? null) as Row | null;
    return {
      data,
      lines: [
        `${shown(data['id'])}  ${shown((data['sequence'] as Row)['slug'])}  ${shown(data['status'])}`,
        shown(data['summary']),
        ...(next === null ? [] : [`Next: ${shown(next['id'])} at ${shown(next['at'])}`]),
        'It is an enrollment of its own: its steps go out again, whatever an earlier one has sent.',
      ],
    };
  },
};
