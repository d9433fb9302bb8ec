import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, required, UsageError } from './command.ts';
import { keyHelp, noteOf, onceOf, refusals, searches, startedAnswer, whoIsMeant } from './start-by-hand.ts';

export const reEnroll: Command = {
  summary: 'start a sequence by hand: again after it has ended, or for somebody who was never in it',
  usage: `rekindle re-enroll <enrollment id> [--note TEXT]
rekindle re-enroll --email ADDRESS | --phone NUMBER | --subject ID | --external-id ID [--sequence SLUG] [--note TEXT]

It makes a new enrollment with steps of its own, counted from now: a step that went out in an earlier one goes out again.
${refusals}
${keyHelp}`,
  example: 'rekindle re-enroll --email ada@example.com --sequence cart --note "asked for it by telephone"',
  takes: 1,
  options: Object.fromEntries([...searches, 'sequence', 'note', 'key'].map((name) => [name, { type: 'string' as const }])),
  async run({ store, args: [id], options }) {
    const search = whoIsMeant(options, id);
    if (Object.keys(search).length === 0) required(id, 'The enrollment’s id, or --email, --phone, --subject or --external-id,');
    if (id !== undefined && options['sequence'] !== undefined) throw new UsageError('An enrollment has its sequence: leave --sequence out.');
    const sequence = options['sequence'] === undefined ? {} : { sequence: options['sequence'] };
    const wish = { ...search, ...noteOf(options), ...sequence };
    return startedAnswer(
      unwrap(
        id === undefined
          ? await store.enrollments.create(asGiven(wish), onceOf(options))
          : await store.enrollments.reEnroll(id, asGiven(noteOf(options)), onceOf(options)),
      ),
    );
  },
};
