import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, required, type Row } from './command.ts';

type Options = Parameters<Command['run']>[0]['options'];

/** A command that does one thing to one enrollment. */
export const enrollmentAction = (
  verb: 'pause' | 'resume' | 'skip' | 'snooze' | 'sendNow' | 'move',
  about: Pick<Command, 'summary' | 'usage' | 'example'> & { options?: NonNullable<Command['options']>; body?: (options: Options) => Row },
): Command => ({
  summary: about.summary,
  example: about.example,
  usage: `${about.usage}
--key KEY   repeat a call with the same key and it does nothing twice; without it each call has a key of its own`,
  takes: 1,
  options: { key: { type: 'string' }, ...about.options },
  async run({ store, args: [id], options }) {
    const once = options['key'] === undefined ? {} : { idempotencyKey: String(options['key']) };
    const data = unwrap(await store.enrollments[verb](required(id, 'The enrollment’s id'), asGiven(about.body?.(options)), once));
    return { data, lines: [data.sentence, data.enrollment.summary] };
  },
});

/** The step that is meant, of `--step`. */
export const stepOption = { step: { type: 'string' as const } };
export const stepOf = (options: Options): Row => (options['step'] === undefined ? {} : { step: options['step'] });
