import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, type Context, NotPossibleError, required, type Row, shown, UsageError } from './command.ts';

type Store = Context['store'];
/** A test is answered by its receiver within this, or the next attempt is told. */
const testedForMs = 20_000;

/** Addresses to which the store's events are sent. */
export const webhooks: Command = {
  summary: 'outgoing webhooks: where the store is told what happens',
  usage: `rekindle webhooks                                             all endpoints
rekindle webhooks create <url> [--type TYPE …] [--description TEXT] [--personal-data]
rekindle webhooks change <id> [--url URL] [--type TYPE …] [--all-types] [--description TEXT] [--personal-data | --no-personal-data]
rekindle webhooks enable <id> | disable <id>                  enabled again, it is told what waits for it
rekindle webhooks rotate <id> [--overlap-hours HOURS]         another secret; the old one signs as well for a day, or as long as you say
rekindle webhooks test <id>                                   sends the event webhook.test, and says what was answered
rekindle webhooks deliveries <id> [--state STATE] [--type TYPE] [--since TIME]
rekindle webhooks show <id> <delivery>                        one delivery with its attempts
rekindle webhooks redeliver <id> <delivery> | redeliver <id> --since TIME   once more: one, or all that have failed since
rekindle webhooks remove <id>

--type may be given several times; without it an endpoint is told everything. docs/outgoing-webhooks.md lists the types.
--personal-data   events hold addresses and names; without it, ids and your own ids
The secret is shown once.`,
  example: 'rekindle webhooks create https://shop.example.com/hooks --type message.sent --type enrollment.ended',
  destroys: { remove: 'What waits for the endpoint is given up.' },
  takes: { list: 0, create: 1, change: 1, enable: 1, disable: 1, rotate: 1, test: 1, deliveries: 1, show: 2, redeliver: 2, remove: 1 },
  options: {
    url: { type: 'string' },
    type: { type: 'string', multiple: true },
    'all-types': { type: 'boolean' },
    description: { type: 'string' },
    'personal-data': { type: 'boolean' },
    'no-personal-data': { type: 'boolean' },
    'overlap-hours': { type: 'string' },
    state: { type: 'string' },
    since: { type: 'string' },
  },
  async run({ store, args: [action = 'list', first, second], options }) {
    const id = () => required(first, 'The id of the endpoint');
    switch (action) {
      case 'list': {
        const data = await collect(store.webhookEndpoints.all());
        return { data, lines: data.length === 0 ? ['There is no endpoint: rekindle webhooks create <url>'] : data.flatMap(linesOf) };
      }
      case 'create': {
        const url = required(first, 'The address of the endpoint');
        const data = unwrap(await store.webhookEndpoints.create(asGiven({ url, ...wishOf(options) })));
        return { data, lines: [data.id, data.secret, 'The secret is shown this once.'] };
      }
      case 'change': {
        const wish = { ...wishOf(options), ...(options['url'] === undefined ? {} : { url: options['url'] }) };
        if (Object.keys(wish).length === 0) throw new UsageError('Say what is to change.');
        return changed(unwrap(await store.webhookEndpoints.update(id(), asGiven(wish))));
      }
      case 'enable':
      case 'disable':
        return changed(unwrap(await store.webhookEndpoints.update(id(), { state: `${action}d` })));
      case 'rotate': {
        const hours = options['overlap-hours'] === undefined ? 24 : Number(options['overlap-hours']);
        if (!(hours >= 0)) throw new UsageError('--overlap-hours is a number of hours, such as 24, or 0.');
        const data = unwrap(await store.webhookEndpoints.rotateSecret(id(), { overlap_hours: hours }));
        return { data, lines: [data.secret, `It is shown this once. The old secret signs as well until ${data.old_secret_until}.`] };
      }
      case 'test':
        return test(store, id());
      case 'deliveries': {
        const { state, since, type } = options;
        const [kind] = Array.isArray(type) ? type : [];
        const search = { ...(state === undefined ? {} : { state }), ...(kind === undefined ? {} : { type: kind }), ...timeOf(since) };
        const data = await collect(store.webhookEndpoints.allDeliveries(id(), asGiven(search)));
        return { data, lines: data.length === 0 ? ['Nothing.'] : data.map(deliveryLine) };
      }
      case 'show': {
        const data = unwrap(await store.webhookEndpoints.delivery(id(), required(second, 'The id of the delivery')));
        return { data, lines: [deliveryLine(data), ...data.log.map(attemptLine)] };
      }
      case 'redeliver':
        return redeliver(store, id(), second, options['since']);
      case 'remove':
        unwrap(await store.webhookEndpoints.remove(id()));
        return { data: { id: first, removed: true }, lines: ['Nothing is sent to it any more.'] };
      default:
        throw new UsageError(`webhooks has no command "${action}".`);
    }
  },
};

function wishOf(options: Context['options']): Row {
  const { type, description } = options;
  if (options['personal-data'] === true && options['no-personal-data'] === true)
    throw new UsageError('Say --personal-data or --no-personal-data, not both.');
  return {
    ...(options['all-types'] === true ? { event_types: [] } : type === undefined ? {} : { event_types: type }),
    ...(description === undefined ? {} : { description }),
    ...(options['personal-data'] === true ? { include_personal_data: true } : {}),
    ...(options['no-personal-data'] === true ? { include_personal_data: false } : {}),
  };
}

function timeOf(since: Context['options'][string]): { since?: string } {
  if (since === undefined) return {};
  const ms = Date.parse(String(since));
  if (Number.isNaN(ms)) throw new UsageError('--since is a time, such as 2026-11-30 or 2026-11-30T08:00:00Z.');
  return { since: new Date(ms).toISOString() };
}

const changed = (data: Row): Answer => ({ data, lines: linesOf(data) });

async function test(store: Store, id: string): Promise<Answer> {
  const { delivery_id: delivery } = unwrap(await store.webhookEndpoints.test(id));
  for (const untilMs = Date.now() + testedForMs; ; ) {
    const data = unwrap(await store.webhookEndpoints.delivery(id, delivery));
    if (data.log.length > 0) return { data, lines: data.log.map(attemptLine), failed: data.state !== 'delivered' };
    if (Date.now() > untilMs) throw new NotPossibleError('It has not been attempted yet: does a worker run? rekindle status says so.');
    await new Promise((rested) => setTimeout(rested, 250));
  }
}

async function redeliver(store: Store, id: string, delivery: string | undefined, since: Context['options'][string]): Promise<Answer> {
  if (delivery !== undefined) {
    const data = unwrap(await store.webhookEndpoints.redeliver(id, delivery));
    return { data, lines: ['It is delivered once more.'] };
  }
  if (since === undefined) throw new UsageError('Say which delivery, or --since for all that have failed since then.');
  const data = unwrap(await store.webhookEndpoints.redeliverFailed(id, asGiven(timeOf(since))));
  return { data, lines: [`${data.redelivered} are delivered once more.${data.unfinished ? ' There are more: say it again.' : ''}`] };
}

function linesOf(row: Row): string[] {
  const types = row['event_types'] as string[];
  const why = { by_hand: ' by hand', gone: ': it answered 410', failing: ': it took nothing for days' }[shown(row['disabled_reason'])] ?? '';
  return [
    `${shown(row['id'])}  ${shown(row['state'])}${why}  ${shown(row['url'])}${row['description'] === '' ? '' : `  ${shown(row['description'])}`}`,
    `    ${types.length === 0 ? 'everything' : types.join(', ')}${row['include_personal_data'] === true ? ', with personal data' : ''}${row['failing_since'] === null ? '' : `; failing since ${shown(row['failing_since'])}`}`,
  ];
}

function deliveryLine(row: Row): string {
  const last = row['last_error'] ?? row['last_status'];
  const next = row['next_attempt_at'] === null ? '' : `, next at ${shown(row['next_attempt_at'])}`;
  return `${shown(row['id'])}  ${shown(row['created_at'])}  ${shown(row['type'])}  ${shown(row['state'])} after ${shown(row['attempts'])}${last === null ? '' : ` (${shown(last)})`}${next}`;
}

function attemptLine(row: Row): string {
  const came = row['status'] === null ? shown(row['error']) : shown(row['status']);
  const took = row['duration_ms'] === null ? '' : ` after ${shown(row['duration_ms'])} ms`;
  return `    ${shown(row['started_at'])}  ${came}${took}${row['answer'] === null || row['answer'] === '' ? '' : `: ${shown(row['answer']).replaceAll(/\s+/g, ' ')}`}`;
}
