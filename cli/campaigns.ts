import { type Answer, type Command, type Context, required, type Row, shown, UsageError } from './command.ts';

export const campaigns: Command = {
  summary: 'take leads by their source and contact them by a sequence',
  usage: `rekindle campaigns create <name> [--sources META,API] [--max-leads N] [--sequence lead-nurture] [--paused]
rekindle campaigns list
rekindle campaigns show <id>
rekindle campaigns leads <id>
rekindle campaigns add <id> --lead <lead>
rekindle campaigns enroll <id> [--which not_enrolled|dropped_out|all] [--note TEXT]
rekindle campaigns pause | resume | end <id>

A new lead goes at once to every active campaign that takes its source and has a place left. A sequence that a campaign uses is begun by
campaigns and no more by itself. A paused campaign sends nothing and takes nobody; an end is final, and everybody in it exits.

--sources     META, API, MANUAL, BULK, or names that your sources state
--max-leads   so many leads altogether
--sequence    its sequence; without one it takes leads and contacts nobody
--which       whose sequence is begun: who is in none of it yet (unless said otherwise), who dropped out without converting, or both and all others
--note        why, for the record

Hours, rate and calls: PATCH /api/campaigns/{id}.`,
  takes: { create: 1, list: 0, show: 1, leads: 1, add: 1, enroll: 1, pause: 1, resume: 1, end: 1 },
  options: {
    ...Object.fromEntries(['sources', 'max-leads', 'sequence', 'lead', 'which', 'note'].map((name) => [name, { type: 'string' as const }])),
    paused: { type: 'boolean' },
  },
  async run({ store, args: [action, target], options }) {
    const path = () => `/api/campaigns/${encodeURIComponent(required(target, 'The campaign’s id'))}`;
    const status = { pause: 'PAUSED', resume: 'ACTIVE', end: 'ENDED' };
    switch (action) {
      case 'create':
        return answerOf((await store.request('POST', '/api/campaigns', wishOf(required(target, 'The campaign’s name'), options))) as Row);
      case 'list': {
        const data = await store.listAll('/api/campaigns?limit=100');
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'show':
        return answerOf((await store.request('GET', path())) as Row);
      case 'leads': {
        const data = await store.listAll(`${path()}/leads?limit=100`);
        return { data, lines: data.length === 0 ? ['It has none.'] : data.map(leadLine) };
      }
      case 'add': {
        const lead = required(options['lead'] as string | undefined, 'The lead’s id (--lead)');
        const data = (await store.request('POST', `${path()}/leads`, { lead })) as Row;
        return { data, lines: [leadLine(data)] };
      }
      case 'enroll':
        return enrolled(store, `${path()}/enroll`, options);
      case 'pause':
      case 'resume':
      case 'end':
        return answerOf((await store.request('PATCH', path(), { status: status[action] })) as Row);
      default:
        throw new UsageError(action === undefined ? 'What to do is missing.' : `campaigns has no command "${action}".`);
    }
  },
};

function wishOf(name: string, options: Context['options']): Row {
  const { sources, sequence } = options;
  const most = options['max-leads'];
  if (most !== undefined && sources === undefined)
    throw new UsageError('--max-leads needs --sources: a campaign without them takes no leads by itself.');
  if (most !== undefined && !/^[1-9]\d{0,6}$/.test(String(most))) throw new UsageError(`--max-leads ${String(most)} is no whole number.`);
  return {
    name,
    ...(sources === undefined
      ? {}
      : {
          autoAssign: {
            sources: String(sources)
              .split(',')
              .map((one) => one.trim()),
            maxLeads: most === undefined ? null : Number(most),
          },
        }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(options['paused'] === true ? { status: 'PAUSED' } : {}),
  };
}

async function enrolled(store: Context['store'], path: string, { which, note }: Context['options']): Promise<Answer> {
  const results: Row[] = [];
  for (let after: unknown = null; ; ) {
    const wish = { ...(which === undefined ? {} : { which }), ...(note === undefined ? {} : { note }), ...(after === null ? {} : { after }) };
    const part = (await store.request('POST', path, wish)) as Row;
    results.push(...(part['results'] as Row[]));
    after = part['next'] ?? null;
    if (after === null) break;
  }
  const refused = new Map<string, number>();
  for (const { reason } of results) if (reason !== null) refused.set(shown(reason), (refused.get(shown(reason)) ?? 0) + 1);
  const begun = results.length - [...refused.values()].reduce((sum, n) => sum + n, 0);
  return { data: results, lines: [`${begun} of ${results.length} begun.`, ...[...refused].map(([reason, n]) => `  ${n} ${reason}`)] };
}

function answerOf(data: Row): Answer {
  const notes = (data['notes'] as string[]).map((note) => `  ${note}`);
  return { data, lines: [lineOf(data), ...notes] };
}

function lineOf(campaign: Row): string {
  const { id, name, status, sequence, leads, open, converted } = campaign;
  const by = sequence === null ? 'no sequence' : shown(sequence);
  return `${shown(id)}  ${shown(status)}  ${shown(name)}  ${by}  ${shown(leads)} leads, ${shown(open)} under way, ${shown(converted)} converted`;
}

function leadLine({ lead, enrollment, enrollmentStatus, reason }: Row): string {
  const state =
    reason === null
      ? `enrollment ${shown(enrollment)}${enrollmentStatus === undefined ? '' : ` ${shown(enrollmentStatus)}`}`
      : `not in its sequence: ${shown(reason)}`;
  return `${shown(lead)}  ${state}`;
}
