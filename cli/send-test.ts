import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, required, shown } from './command.ts';

export const sendTest: Command = {
  summary: 'send a step to yourself, marked as a test',
  usage: `rekindle send-test <sequence> <step> --to ADDRESS [--locale fa] [--variant B] [--contact ID | --sample NAME]

One message to that address and nobody else, by the version in use: an email address, or a telephone number for a text message. It is in no figure, list or
cap, its links count nothing, and addresses that have opted out get none.`,
  example: 'rekindle send-test cart email_2h --to you@example.com',
  takes: 2,
  options: {
    to: { type: 'string' },
    locale: { type: 'string' },
    variant: { type: 'string' },
    contact: { type: 'string' },
    sample: { type: 'string' },
  },
  async run({ store, args: [slug, step], options }) {
    const [sequence, id] = [required(slug, 'The sequence'), required(step, 'The step')];
    const given = ['locale', 'variant', 'contact', 'sample'].flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
    const to = required(options['to'], '--to');
    const data = unwrap(await store.previews.sendTest(sequence, id, asGiven({ to, ...Object.fromEntries(given) })));
    const accepted = data.outcome === 'accepted';
    return {
      data,
      lines: [accepted ? `The test is on its way to ${to}.` : `The test was not accepted: ${shown(data.response)}`],
      failed: !accepted,
    };
  },
};
