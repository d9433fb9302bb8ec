import { randomUUID } from 'node:crypto';
import { type Command, required, type Row, shown } from './command.ts';

type Options = Parameters<Command['run']>[0]['options'];

/** A command that does one thing to one enrollment, `POST /api/enrollments/{id}/<verb>`. */
export const enrollmentAction = (
  verb: string,
  about: Pick<Command, 'summary' | 'usage'> & { options?: NonNullable<Command['options']>; body?: (options: Options) => Row },
): Command => ({
  summary: about.summary,
  usage: `${about.usage}
--key KEY   repeat a call with the same key and it does nothing twice; without it each call has a key of its own`,
  takes: 1,
  options: { key: { type: 'string' }, ...about.options },
  async run({ store, args: [id], options }) {
    const path = `/api/enrollments/${encodeURIComponent(required(id, 'The enrollment’s id'))}/${verb}`;
    const headers = { 'idempotency-key': String(options['key'] ?? randomUUID()) };
    const data = (await store.request('POST', path, about.body?.(options), headers)) as Row;
    return { data, lines: [shown(data['sentence']), shown((data['enrollment'] as Row)['summary'])] };
  },
});

/** The step that is meant, of `--step`. */
export const stepOption = { step: { type: 'string' as const } };
export const stepOf = (options: Options): Row => (options['step'] === undefined ? {} : { step: options['step'] });
