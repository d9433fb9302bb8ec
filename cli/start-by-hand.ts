import { type Answer, type Context, type Row, shown, UsageError } from './command.ts';

/** The options that say who is meant; one of them is given. */
export const searches = ['email', 'phone', 'subject', 'external-id'] as const;
const fieldOf = { email: 'email', phone: 'phone', subject: 'subject_id', 'external-id': 'external_id' } as const;

export const keyHelp = '--key KEY   repeat a call with the same key and it starts nothing twice; without it each call has a key of its own';
export const refusals = 'It is refused, and says why, for whoever has opted out, is suppressed, has bought, or is in that sequence already.';

/** @returns the fields of a request; empty: nobody was named. @throws UsageError where several are given */
export function whoIsMeant(options: Context['options'], otherwise: string | undefined): Row {
  const search = Object.fromEntries(searches.flatMap((name) => (options[name] === undefined ? [] : [[fieldOf[name], options[name]]])));
  const given = Object.keys(search).length + (otherwise === undefined ? 0 : 1);
  if (given > 1) throw new UsageError('Say one thing: an enrollment’s id, or one of --email, --phone, --subject and --external-id.');
  return search;
}

export const noteOf = (options: Context['options']): Row => (options['note'] === undefined ? {} : { note: options['note'] });
export const onceOf = (options: Context['options']) => (options['key'] === undefined ? {} : { idempotencyKey: String(options['key']) });

/** What was started, and what comes next. */
export function startedAnswer(data: Row): Answer {
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
}
