import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, type Row, shown, UsageError } from './command.ts';

const line = (t: Row) => `${shown(t['id'])}  ${shown(t['slug'])}  ${shown(t['name'])}`;

export const tenants: Command = {
  summary: 'the stores of this installation and their API keys (needs the installation’s key)',
  usage: `rekindle tenants                              list them
rekindle tenants create <slug> --name NAME     prints the store's first API key, this once
rekindle tenants keys <slug>                   list its API keys
rekindle tenants issue <slug> --name NAME      one more key, shown this once
rekindle tenants revoke <slug> <key id>`,
  example: 'rekindle tenants create my-store --name "My store"',
  destroys: { revoke: 'Programs with this key are refused at once.' },
  takes: { list: 0, create: 1, keys: 1, issue: 1, revoke: 2 },
  options: { name: { type: 'string' } },
  async run({ installation, args: [action = 'list', target, key], options }) {
    const client = installation();
    const slug = () => required(target, 'The slug');
    switch (action) {
      case 'list': {
        const data = await collect(client.tenants.all({ limit: 500 }));
        return { data, lines: data.map(line) };
      }
      case 'create': {
        const body = { slug: required(target, 'The slug'), name: required(options['name'] ?? target, '--name') };
        const data = unwrap(await client.tenants.create(body));
        return { data, lines: [line(data), `api key ${data.api_key}  (shown this once)`] };
      }
      case 'keys': {
        const data = await collect(client.tenants.allKeys(slug()));
        return {
          data,
          lines: data.map((k) => `${shown(k['id'])}  ${shown(k['name'])}  made ${shown(k['created_at'])}  revoked ${shown(k['revoked_at'])}`),
        };
      }
      case 'issue': {
        const data = unwrap(await client.tenants.createKey(slug(), { name: required(options['name'], '--name') }));
        return { data, lines: [`${data.id}  api key ${data.api_key}  (shown this once)`] };
      }
      case 'revoke':
        unwrap(await client.tenants.revokeKey(slug(), required(key, 'The key’s id')));
        return { data: null, lines: ['Revoked.'] };
      default:
        throw new UsageError(`tenants has no command "${action}".`);
    }
  },
};
