import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, required, type Row, shown, UsageError } from './command.ts';

const actions = ['resume', 'skip', 'cancel'] as const;

export const parked: Command = {
  summary: 'what cannot go on by itself: list it, resume, skip or cancel it',
  usage: `rekindle parked [--kind connection|sequence|delivery|outcome]   what, since when, who is affected, what to do
rekindle parked resume <id> | skip <id> | cancel <id>          of one; the list says what each does
rekindle parked resume | skip | cancel --kind KIND [--dry-run]  of all of a kind; --dry-run only counts
--note TEXT                                                    why, for whoever reads it later

The exit status is 1 where something stays parked.`,
  example: 'rekindle parked skip --kind delivery --dry-run',
  destroys: { skip: 'What is skipped is not listed again; a delivery never takes effect.', cancel: 'What it belongs to is given up for good.' },
  takes: { list: 0, resume: 1, skip: 1, cancel: 1 },
  options: { kind: { type: 'string' }, 'dry-run': { type: 'boolean' }, note: { type: 'string' } },
  async run({ store, args: [action = 'list', id], options }) {
    const { kind } = options;
    if (action === 'list') {
      const data = await collect(store.parked.all(asGiven(kind === undefined ? {} : { kind })));
      return { data, lines: data.length === 0 ? ['Nothing is parked.'] : data.flatMap(linesOf) };
    }
    const wanted = actions.find((known) => known === action);
    if (wanted === undefined) throw new UsageError(`parked has no command "${action}".`);
    const note = options['note'] === undefined ? {} : { note: options['note'] };
    if (id !== undefined) {
      const data = unwrap(await store.parked[wanted](id, asGiven(note)));
      return { data, lines: [`${id}: ${wanted} is done.`] };
    }
    const body = { kind: required(kind, 'The id, or --kind for all of a kind,'), dry_run: options['dry-run'] === true, ...note };
    // Without an id nobody was asked.
    if (wanted !== 'resume' && !body.dry_run && options['yes'] !== true)
      throw new UsageError(`That is about all of them: --dry-run counts them, --yes does it.`);
    return allOf(unwrap(await store.parked[`${wanted}All`](asGiven(body))));
  },
};

function allOf(data: Row): Answer {
  const refused = data['refused'] as Row[];
  const counted =
    data['dry_run'] === true ? `${shown(data['matched'])} would be asked.` : `${shown(data['done'])} of ${shown(data['matched'])} done.`;
  return { data, lines: [counted, ...refused.map((r) => `${shown(r['id'])}  ${shown(r['detail'])}`)], failed: refused.length > 0 };
}

function linesOf(item: Row): string[] {
  const { enrollments, deliveries } = item['affected'] as Row;
  const who = [Number(enrollments) > 0 ? `${shown(enrollments)} enrollments` : '', Number(deliveries) > 0 ? `${shown(deliveries)} deliveries` : ''];
  const affected = who.filter((text) => text !== '').join(', ');
  return [
    `${shown(item['id'])}  since ${shown(item['since'])}${affected === '' ? '' : `  ${affected}`}`,
    `    ${shown(item['sentence'])}`,
    `    ${shown(item['what_to_do'])}`,
  ];
}
