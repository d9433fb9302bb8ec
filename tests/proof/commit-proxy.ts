import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { endsWithCommit, saysCommitted } from './commit-bytes.ts';

/** What happens to a COMMIT whose answer never arrives. */
export type LostCommit =
  /** Committed; the answer is swallowed. */
  | { kind: 'answer_lost' }
  /** It never reached the server: rolled back. */
  | { kind: 'never_sent' }
  /** The caller's connection is gone at once, the server commits later (or has given the transaction up by then). */
  | { kind: 'late'; afterMs: number };

/** A stretch of network between a pool and Postgres that can swallow what follows a COMMIT. */
export interface CommitProxy {
  port: number;
  /** Do this with the next COMMIT on this connection (the client's local port). */
  arm(clientPort: number, fate: LostCommit): void;
  close(): Promise<void>;
}

export async function startCommitProxy(upstream: { host: string; port: number }): Promise<CommitProxy> {
  const armed = new Map<number, LostCommit>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const clientPort = client.remotePort ?? 0;
    const behind = connect(upstream);
    for (const socket of [client, behind]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    let swallowed = false;
    behind.on('data', (answer) => {
      if (!swallowed) {
        client.write(answer);
        return;
      }
      // The answer of the statement before it may come first.
      if (!saysCommitted(answer)) return;
      client.destroy();
      behind.destroy();
    });
    behind.on('close', () => client.destroy());
    client.on('close', () => {
      armed.delete(clientPort);
      if (!swallowed) behind.destroy();
    });
    client.on('data', (sent) => {
      const fate = armed.get(clientPort);
      if (fate === undefined || !endsWithCommit(sent)) {
        behind.write(sent);
        return;
      }
      armed.delete(clientPort);
      swallowed = true;
      switch (fate.kind) {
        case 'answer_lost':
          behind.write(sent);
          return;
        case 'never_sent':
          behind.destroy();
          return;
        case 'late':
          client.destroy();
          setTimeout(() => behind.end(sent), fate.afterMs);
          setTimeout(() => behind.destroy(), fate.afterMs + 2_000);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return {
    port: address.port,
    arm: (clientPort, fate) => void armed.set(clientPort, fate),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
