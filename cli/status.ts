import { ApiError } from '../sdk/client.ts';
import { type Command, shown, type Row } from './command.ts';

export const status: Command = {
  summary: 'whether every part of the installation works',
  usage: `rekindle status

The exit status is 1 unless everything works.`,
  takes: 0,
  async run({ store }) {
    const data = (await store.request('GET', '/healthz').catch((error: unknown) => {
      // An unhealthy installation answers 503, and the body says what is wrong.
      if (error instanceof ApiError && error.status === 503) return error.body;
      throw error;
    })) as Row;
    const parts = Object.entries(data).filter(([name]) => name !== 'status');
    return {
      data,
      lines: [`status: ${shown(data['status'])}`, ...parts.map(([name, value]) => `${name}: ${shown(value)}`)],
      failed: data['status'] !== 'ok',
    };
  },
};
