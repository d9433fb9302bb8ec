import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Let the server close while connections are open that never sent a request: browsers open some ahead, and Node waits a minute for their first
 * request. Requests that are being answered are waited for as before.
 */
export function endSilentConnections(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }) => silent.delete(socket));
  app.server.on('upgrade', (_request, socket) => silent.delete(socket as Socket));
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
}
