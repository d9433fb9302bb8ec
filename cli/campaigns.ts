import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, type Context, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

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
  example: 'rekindle campaigns create "Flats in spring" --sources META --sequence lead-nurture',
  destroys: { end: 'An ended campaign cannot go on, and everybody in it exits.' },
  takes: { create: 1, list: 0, show: 1, leads: 1, add: 1, enroll: 1, pause: 1, resume: 1, end: 1 },
  options: {
    ...sortOption,
    ...Object.fromEntries(['sources', 'max-leads', 'sequence', 'lead', 'which', 'note'].map((name) => [name, { type: 'string' as const }])),
    paused: { type: 'boolean' },
  },
  async run({ store, args: [action, target], options }) {
    const id = () => required(target, 'The campaign’s id');
    const status = { pause: 'PAUSED', resume: 'ACTIVE', end: 'ENDED' } as const;
    switch (action) {
      case 'create':
        return answerOf(unwrap(await store.campaigns.create(asGiven(wishOf(required(target, 'The campaign’s name'), options)))));
      case 'list': {
        const data = await collect(store.campaigns.all({ limit: 100, ...sorted(options) }));
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'show':
        return answerOf(unwrap(await store.campaigns.get(id())));
      case 'leads': {
        const data = await collect(store.campaigns.allLeads(id(), { limit: 100 }));
        return { data, lines: data.length === 0 ? ['It has none.'] : data.map(leadLine) };
      }
      case 'add': {
        const lead = required(options['lead'] as string | undefined, 'The lead’s id (--lead)');
        const data = unwrap(await store.campaigns.addLead(id(), { lead }));
        return { data, lines: [leadLine(data)] };
      }
      case 'enroll':
        return enrolled(store, id(), options);
      case 'pause':
      case 'resume':
      case 'end':
        return answerOf(unwrap(await store.campaigns.update(id(), { status: status[action] })));
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

async function enrolled(store: Context['store'], id: string, { which, note }: Context['options']): Promise<Answer> {
  const results: Row[] = [];
  for (let after: unknown = null; ; ) {
    const wish = { ...(which === undefined ? {} : { which }), ...(note === undefined ? {} : { note }), ...(after === null ? {} : { after }) };
    const part = unwrap(await store.campaigns.enroll(id, asGiven(wish)));
    results.push(...part.results);
    after = part.next ?? null;
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
