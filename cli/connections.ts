import { parseDuration } from '../domain/sequence/duration.ts';
import { type Result, unwrap } from '../sdk/index.ts';
import {
  type Answer,
  asGiven,
  collect,
  type Command,
  type Context,
  jsonOption,
  required,
  type Row,
  shown,
  UsageError,
  sorted,
  sortOption,
} from './command.ts';

const line = (c: Row) =>
  `${shown(c['id'])}  ${shown(c['integration'])}  ${shown(c['name'])}  ${shown(c['state'])}${webhookOf(c) === null ? '' : `  ${shown(webhookOf(c)?.['url'])}`}`;
const webhookOf = (c: Row) => (c['webhook'] ?? null) as Row | null;

function withSecret(connection: Row): string[] {
  const secret = webhookOf(connection)?.['secret'] ?? null;
  return [line(connection), ...(secret === null ? [] : [`secret ${shown(secret)}  (shown this once)`])];
}

export const connections: Command = {
  summary: 'the store’s accounts at providers: webhooks in, messages out',
  usage: `rekindle connections                                  list them
rekindle connections create <integration> --name NAME [--config JSON] [--secret SECRET]
rekindle connections change <id> [--name NAME] [--config JSON] [--state connected|disconnected] [--rate 10/1s | none]
rekindle connections rotate <id> [--secret SECRET]    a new webhook secret; the old one stays valid beside it
rekindle connections retire <id>                      end the older of two secrets
rekindle connections authorise <id> --code CODE [--redirect-uri URL]   let an app of yours in (OAuth)
rekindle connections check <id>                       does the provider let us in?
rekindle connections remove <id>`,
  example: 'rekindle connections create shopify --name "My shop" --secret shpss_0123456789abcdef',
  destroys: { remove: 'The connection and its secrets are deleted; webhooks to its address are refused.' },
  takes: { list: 0, create: 1, change: 1, rotate: 1, retire: 1, authorise: 1, check: 1, remove: 1 },
  options: {
    ...sortOption,
    name: { type: 'string' },
    config: { type: 'string' },
    secret: { type: 'string' },
    state: { type: 'string' },
    rate: { type: 'string' },
    code: { type: 'string' },
    'redirect-uri': { type: 'string' },
  },
  async run(context) {
    const { store } = context;
    const [action = 'list', target] = context.args;
    const id = () => required(target, 'The id');
    switch (action) {
      case 'list': {
        const found = await collect(store.connections.all({ limit: 500, ...sorted(context.options) }));
        return { data: found, lines: found.length === 0 ? ['There are no connections yet.'] : found.map(line) };
      }
      case 'create':
        return create(context, required(target, 'The integration, e.g. shopify,'));
      case 'change':
        return answerOf(
          await store.connections.update(
            id(),
            asGiven({
              ...given(context, 'name'),
              ...given(context, 'state'),
              ...rateGiven(context),
              ...(context.options['config'] === undefined ? {} : { config: jsonOption(context.options, 'config') }),
            }),
          ),
        );
      case 'rotate':
        return answerOf(await store.connections.rotate(id(), asGiven(given(context, 'secret'))));
      case 'retire':
        return answerOf(await store.connections.rotate(id(), { retire_old: true }));
      case 'authorise':
        return answerOf(
          await store.connections.authorise(
            id(),
            asGiven({
              code: required(context.options['code'], '--code'),
              ...(context.options['redirect-uri'] === undefined ? {} : { redirect_uri: context.options['redirect-uri'] }),
            }),
          ),
        );
      case 'check': {
        const data = unwrap(await store.connections.check(id()));
        const sends = (data['sends'] ?? null) as Row | null;
        const state = sends === null ? 'It receives only.' : `${sends['ok'] === true ? 'OK' : 'FAILED'}: ${shown(sends['detail'])}`;
        return { data, lines: [state, `Last delivery: ${shown(data['last_delivery_at'])}`] };
      }
      case 'remove':
        unwrap(await store.connections.delete(id()));
        return { data: null, lines: ['Removed.'] };
      default:
        throw new UsageError(`connections has no command "${action}".`);
    }
  },
};

async function create(context: Context, integration: string): Promise<Answer> {
  const { secret } = context.options;
  const wish = {
    integration,
    name: required(context.options['name'] ?? integration, '--name'),
    ...(context.options['config'] === undefined ? {} : { config: jsonOption(context.options, 'config') }),
    ...(typeof secret === 'string' ? { secrets: [secret] } : {}),
  };
  return answerOf(await context.store.connections.create(asGiven(wish)));
}

function answerOf(result: Result<Row>): Answer {
  const data = unwrap(result);
  return { data, lines: withSecret(data) };
}

/** `10/1s`, `500/1d`, `none`. */
function rateGiven({ options }: Context): Row {
  const { rate } = options;
  if (rate === undefined) return {};
  if (rate === 'none') return { rate: null };
  const [, most, span] = /^(\d+)\/(\d+[smhd])$/.exec(String(rate)) ?? [];
  const spanMs = span === undefined ? null : parseDuration(span);
  if (spanMs === null) throw new UsageError('--rate is not understood: write 10/1s (messages and a span), or none.');
  return { rate: { most: Number(most), within_seconds: spanMs / 1_000 } };
}

function given({ options }: Context, name: string): Row {
  return options[name] === undefined ? {} : { [name]: options[name] };
}
