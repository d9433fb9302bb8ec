import { WebSocketServer } from 'ws';

// The floor of live events: a bare WebSocket server that sends what one says to all, in a process of its own, like the API.
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env['PORT']), handleProtocols: () => 'rekindle.live' });
server.on('connection', (socket) => {
  socket.send('hello');
  socket.on('message', (data: Buffer) => {
    for (const one of server.clients) one.send(data.toString());
  });
});
server.on('listening', () => process.send?.('ready'));
process.on('SIGTERM', () => process.exit(0));
