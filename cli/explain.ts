import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, type Command, type Context, type Row, shown, UsageError } from './command.ts';

const searches = ['email', 'phone', 'subject', 'external-id'] as const;
const fieldOf = { email: 'email', phone: 'phone', subject: 'subject_id', 'external-id': 'external_id' } as const;
type Field = (typeof fieldOf)[keyof typeof fieldOf];

export const explain: Command = {
  summary: 'what happened to a person or about a cart or lead, what comes next, and why',
  usage: `rekindle explain <id>                 of an enrollment; or of a cart or lead, by Rekindle’s id or any that its source has for it
rekindle explain --email ADDRESS | --phone NUMBER | --subject ID | --external-id ID
rekindle explain summary [--days N] [--sequence SLUG] [--channel NAME]   why messages were not sent, of the last 7 days

--gates   with every gate of each decision, and what it read

The exit status is 1 where nothing is known by that name.`,
  example: 'rekindle explain --email ada@example.com --gates',
  takes: { summary: 0 },
  options: {
    ...Object.fromEntries(searches.map((name) => [name, { type: 'string' as const }])),
    gates: { type: 'boolean' },
    days: { type: 'string' },
    sequence: { type: 'string' },
    channel: { type: 'string' },
  },
  async run({ store, args: [id, extra], options }) {
    if (extra !== undefined) throw new UsageError(`"${extra}" is too much for rekindle explain.`);
    if (id === 'summary') return summarised(store, options);
    const given = searches.flatMap((name) => (typeof options[name] === 'string' ? [[fieldOf[name], options[name]] as const] : []));
    const [only, another] = [...given, ...(id === undefined ? [] : [['id', id] as const])];
    if (only === undefined || another !== undefined)
      throw new UsageError('Say one thing: an id, or one of --email, --phone, --subject and --external-id.');
    const found: Row = only[0] === 'id' ? await byId(store, only[1]) : await search(store, only[0], only[1]);
    return { data: found, lines: linesOf(found, options['gates'] === true), failed: found['entries'] === undefined && isEmpty(found) };
  },
};

const search = async (store: Context['store'], field: Field, value: string) => unwrap(await store.explain.find({ [field]: value }));

/** A bare id: an enrollment’s, else whatever a subject, a customer or an order is known by. */
async function byId(store: Context['store'], id: string): Promise<Row> {
  if (id.includes('@')) return search(store, 'email', id);
  const explained = await store.explain.enrollment(id);
  if (explained.error?.status !== 404) return unwrap(explained);
  const bySubject = await search(store, 'subject_id', id);
  return isEmpty(bySubject) ? search(store, 'external_id', id) : bySubject;
}

const rowsOf = (data: Row, name: string) => (data[name] ?? []) as Row[];
const isEmpty = (found: Row) => rowsOf(found, 'explanations').length === 0 && rowsOf(found, 'subjects_without_sequence').length === 0;

function linesOf(found: Row, withGates: boolean): string[] {
  if (found['entries'] !== undefined) return story(found, withGates);
  if (isEmpty(found)) return ['Nothing is known by that name: no enrollment, and no cart or lead.'];
  return [
    ...rowsOf(found, 'explanations').flatMap((e, at) => [...(at === 0 ? [] : ['']), ...story(e, withGates)]),
    ...rowsOf(found, 'subjects_without_sequence').map((s) => `${shown(s['kind'])} ${shown(s['id'])}  ${shown(s['sentence'])}`),
    ...(found['more'] === true ? ['', 'There are older ones: GET /api/enrollments lists all.'] : []),
  ];
}

function story(explanation: Row, withGates: boolean): string[] {
  const enrollment = explanation['enrollment'] as Row;
  const sequence = enrollment['sequence'] as Row;
  const next = (explanation['next'] ?? null) as Row | null;
  return [
    `${shown(enrollment['id'])}  ${shown(sequence['slug'])} version ${shown(sequence['version'])}  ${shown(enrollment['status'])}`,
    shown(enrollment['summary']),
    '',
    ...withoutEchoes(rowsOf(explanation, 'entries')).flatMap((e) => [`${shown(e['at'])}  ${shown(e['sentence'])}`, ...gateLines(e, withGates)]),
    ...(next === null ? [] : ['', `Next: ${shown(next['sentence'])}`, ...gateLines(next, withGates)]),
    ...(explanation['truncated'] === true ? ['More was recorded than is shown.'] : []),
  ];
}

/** A step that was skipped is in the ledger and in the story, in the same words: one line says it. `--json` has both. */
function withoutEchoes(entries: Row[]): Row[] {
  const told = new Set(entries.filter(({ kind, type }) => kind === 'event' && type === 'step.skipped').map(({ sentence }) => sentence));
  return entries.filter(({ kind, state, sentence }) => !(kind === 'message' && state === 'skipped' && told.has(sentence)));
}

const gateLines = (decision: Row, withGates: boolean) =>
  withGates ? rowsOf(decision, 'gates').map((g) => `    ${shown(g['gate'])}: ${shown(g['result'])}  ${shown(g['input'])}`) : [];

async function summarised(store: Context['store'], options: Context['options']): Promise<Answer> {
  const filters = ['days', 'sequence', 'channel']
    .filter((name) => typeof options[name] === 'string')
    .map((name) => [name, String(options[name])] as const);
  const data = unwrap(await store.explain.summary(asGiven(Object.fromEntries(filters))));
  const reasons: Row[] = [...rowsOf(data, 'reasons'), ...rowsOf(data, 'not_begun').map((r) => ({ ...r, kind: 'not_begun' }))];
  const part = (kind: string, title: string) => {
    const of = reasons.filter((r) => r['kind'] === kind);
    return of.length === 0 ? [] : [title, ...of.map((r) => `  ${String(r['count']).padStart(6)}  ${shown(r['sentence'])}`)];
  };
  const lines = [
    ...part('blocker', 'In the way:'),
    ...part('normal_wait', 'Waited, and goes out by itself:'),
    ...part('as_planned', 'Left out as planned:'),
    ...part('not_begun', 'No sequence begun:'),
  ];
  return { data, lines: lines.length === 0 ? ['Nothing was held back.'] : lines };
}
