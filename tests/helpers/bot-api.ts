import Fastify from 'fastify';
import { BotApi, botApiRoutes } from '../../local/phone/bot-api.ts';

export interface StartedBotApi {
  api: BotApi;
  url: string;
  stop(): Promise<void>;
}

/** A far end that speaks the Bot API, on loopback. */
export async function startBotApi(): Promise<StartedBotApi> {
  const api = new BotApi();
  const app = Fastify({ forceCloseConnections: true });
  botApiRoutes(app, api);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    api,
    url,
    async stop() {
      api.end();
      await app.close();
    },
  };
}
