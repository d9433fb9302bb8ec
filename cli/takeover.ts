import { unwrap } from '../sdk/index.ts';
import { type Command, required } from './command.ts';

const command = (verb: 'takeover' | 'release', summary: string, usage: string): Command => ({
  summary,
  usage,
  example: `rekindle ${verb} 01920000-0000-7000-8000-000000000000`,
  takes: 1,
  async run({ store, args: [id] }) {
    const data = unwrap(await store.enrollments[verb](required(id, 'The enrollment’s id')));
    return { data, lines: [data.summary] };
  },
});

export const takeover = command(
  'takeover',
  'answer somebody yourself: nothing is sent to them until they are released',
  `rekindle takeover <enrollment id>   of any sequence of theirs: all of them wait

It ends by rekindle release, or after the store’s takeoverHours.`,
);

export const release = command(
  'release',
  'the conversation is over: the person’s sequences go on at once',
  'rekindle release <enrollment id>   what is too old by then is skipped',
);
