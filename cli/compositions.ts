import { unwrap } from '../sdk/index.ts';
import { asGiven, collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';
import { readText } from './sequence-file.ts';

function linesOf(row: Row): string[] {
  const until = row['waits_until'] === null ? '' : `, until ${shown(row['waits_until'])}`;
  const by = row['decided_by'] === null ? '' : ` by ${shown(row['decided_by'])}${row['edited'] === true ? ', edited' : ''}`;
  const why = row['reason'] === null ? '' : ` (${shown(row['reason'])})`;
  const head = `${shown(row['id'])}  ${shown(row['state'])}${why}${by}${until}  ${shown(row['sequence'])}/${shown(row['step'])}, ${shown(row['channel'])}, ${shown(row['language'])}`;
  const subject = typeof row['subject'] === 'string' && row['subject'] !== '' ? [`    ${row['subject']}`] : [];
  const body = typeof row['body'] === 'string' && row['body'] !== '' ? row['body'].split('\n').map((line) => `    ${line}`.trimEnd()) : [];
  const cta = typeof row['cta_text'] === 'string' && row['cta_text'] !== '' ? [`    [${row['cta_text']}]`] : [];
  return [head, ...subject, ...body, ...cta];
}

export const compositions: Command = {
  summary: 'what models have written, and its approval',
  usage: `rekindle compositions                         the texts that wait for a person
rekindle compositions list [--state STATE]    all of them, or those that are writing, failed, ready, waiting, approved, rejected or timed_out
rekindle compositions approve <id> [--subject TEXT] [--body-file FILE] [--cta TEXT]
                                              let one go out, as the model wrote it or edited
rekindle compositions reject <id> [--note WHY] the template goes out instead`,
  options: {
    ...sortOption,
    state: { type: 'string' },
    subject: { type: 'string' },
    'body-file': { type: 'string' },
    cta: { type: 'string' },
    note: { type: 'string' },
  },
  example: 'rekindle compositions list --state waiting',
  takes: { list: 0, approve: 1, reject: 1 },
  async run({ store, args: [action, target], options }) {
    const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
    switch (action) {
      case undefined:
      case 'list': {
        const state = action === undefined ? 'waiting' : text('state');
        const data = await collect(store.compositions.all(asGiven({ ...(state === undefined ? {} : { state }), ...sorted(options) })));
        return { data, lines: data.length === 0 ? [state === 'waiting' ? 'No text waits for a person.' : 'There are none.'] : data.flatMap(linesOf) };
      }
      case 'approve': {
        const file = text('body-file');
        const body = { subject: text('subject'), body: file === undefined ? undefined : readText(file), cta_text: text('cta') };
        const data = unwrap(await store.compositions.approve(idOf(target), asGiven(body)));
        return { data, lines: linesOf(data) };
      }
      case 'reject': {
        const data = unwrap(await store.compositions.reject(idOf(target), asGiven({ note: text('note') })));
        return { data, lines: linesOf(data) };
      }
      default:
        throw new UsageError('Say list, approve or reject, or nothing for the texts that wait.');
    }
  },
};

const idOf = (target: string | undefined) => required(target, 'The text’s id');
