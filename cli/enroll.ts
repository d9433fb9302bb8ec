import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, required, UsageError } from './command.ts';
import { keyHelp, noteOf, onceOf, refusals, searches, startedAnswer, whoIsMeant } from './start-by-hand.ts';

export const enroll: Command = {
  summary: 'take somebody into a sequence by hand',
  usage: `rekindle enroll <sequence> --email ADDRESS | --phone NUMBER | --subject ID | --external-id ID [--note TEXT]

Of several carts or leads of theirs, the sequence is about the one that was active last. Its steps are counted from now.
${refusals}
Many at once: rekindle bulk start. Into a campaign: rekindle campaigns enroll. The sequence of an enrollment once more: rekindle re-enroll.
${keyHelp}`,
  example: 'rekindle enroll cart --email ada@example.com --note "asked for it by telephone"',
  takes: 1,
  options: Object.fromEntries([...searches, 'note', 'key'].map((name) => [name, { type: 'string' as const }])),
  async run({ store, args: [sequence], options }) {
    const slug = required(sequence, 'The sequence');
    const search = whoIsMeant(options, undefined);
    if (Object.keys(search).length === 0) throw new UsageError('Say who: --email, --phone, --subject or --external-id.');
    return startedAnswer(unwrap(await store.enrollments.create(asGiven({ ...search, ...noteOf(options), sequence: slug }), onceOf(options))));
  },
};
