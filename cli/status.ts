import { unwrap } from '../sdk/index.ts';
import { type Command, type Row, shown } from './command.ts';

export const status: Command = {
  summary: 'whether every part of the installation works',
  usage: `rekindle status

The exit status is 1 unless everything works.`,
  example: 'rekindle status --json',
  takes: 0,
  async run({ store }) {
    const result = await store.health.get();
    // An unhealthy installation answers 503, and the body says what is wrong.
    const data = result.error?.status === 503 ? (result.error.body as Row) : unwrap(result);
    const parts = Object.entries(data).filter(([name]) => name !== 'status');
    return {
      data,
      lines: [`status: ${shown(data['status'])}`, ...parts.map(([name, value]) => `${name}: ${shown(value)}`)],
      failed: data['status'] !== 'ok',
    };
  },
};
