import type { FastifyInstance } from 'fastify';
import { type BotApi, botApiRoutes, type ChatUser } from '../phone/bot-api.ts';

/** The Bot API below `/telegram`, and the people who chat with its bots: `/chats`. */
export function chatRoutes(app: FastifyInstance, api: BotApi, botOf: (store: string) => string | null): void {
  void app.register(async (scope) => botApiRoutes(scope, api), { prefix: '/telegram' });

  app.get('/chats', () => ({
    chats: api
      .tokens()
      .flatMap((token) =>
        [...api.bot(token).chats.values()].map(({ user, said, isBlocked }) => ({ bot: token.split(':', 1)[0], user, isBlocked, said })),
      ),
  }));
  app.post<{ Params: { id: string }; Body: Record<string, unknown> | null }>('/chats/:id', (request, reply) => {
    const { store = 'store', name = 'Ada', language = 'en', text, press, phone, block } = request.body ?? {};
    const token = typeof store === 'string' ? botOf(store) : null;
    const id = Number(request.params.id);
    if (token === null) return reply.code(404).send({ error: `No bot of ${String(store)}.` });
    if (!Number.isSafeInteger(id) || id <= 0 || typeof name !== 'string' || typeof language !== 'string')
      return reply.code(400).send({ error: 'A chat has a number of its own, such as /chats/5001; `name` and `language` are texts.' });
    const user: ChatUser = { id, first_name: name, language_code: language };
    if (typeof text === 'string' && text !== '') api.says(token, user, text);
    else if (typeof press === 'string' && press !== '') api.presses(token, user, press);
    else if (typeof phone === 'string' && phone !== '') api.shares(token, user, phone);
    else if (typeof block === 'boolean') api.blocks(token, user, block);
    else
      return reply
        .code(400)
        .send({ error: 'Name one of `text`, `press` (the value of a button), `phone` (to share it) and `block` (true or false).' });
    return reply.code(202).send({ chat: id });
  });
}
