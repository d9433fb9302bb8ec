import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { endsWithCommit, saysCommitted } from '../proof/commit-bytes.ts';

/** Where a connection is cut: `before` the COMMIT reaches the server, or `after` it was carried out, with its answer lost. */
export type Cut = 'before' | 'after';

/**
 * A stretch of network between the product and Postgres that breaks at COMMIT. It sees bytes only: it does not know which connection of which pool
 * carries a transaction.
 */
export interface DatabaseLine {
  port: number;
  /** The next COMMITs of transactions with a matching statement are cut in these ways, in order. */
  cutAtCommit(said: RegExp, ...fates: Cut[]): void;
  /** How many were cut. */
  cuts(): number;
  /** With the next cut everything is cut, and nobody gets through until `mend`. */
  breakWithNextCut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** @param onCut - called at each cut, before anybody can know of it */
export async function startDatabaseLine(upstream: { host: string; port: number }, onCut: () => void = () => undefined): Promise<DatabaseLine> {
  let said: RegExp | null = null;
  const fates: Cut[] = [];
  let cuts = 0;
  let breaking = false;
  let broken = false;
  const sockets = new Set<Socket>();
  const destroyAll = () => sockets.forEach((socket) => socket.destroy());

  const server = createServer((client) => {
    const behind = connect(upstream);
    for (const socket of [client, behind]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    let transaction = '';
    let answerLost = false;
    const cut = () => {
      cuts += 1;
      onCut();
      broken = breaking;
      if (broken) destroyAll();
      client.destroy();
      behind.destroy();
    };
    client.on('close', () => behind.destroy());
    behind.on('close', () => client.destroy());
    behind.on('data', (answer) => {
      if (!answerLost) client.write(answer);
      else if (saysCommitted(answer)) cut();
    });
    client.on('data', (sent) => {
      const text = sent.toString('latin1');
      // The byte before a statement is its length, and may be a letter.
      if (/begin;/i.test(text)) transaction = '';
      transaction += text;
      if (said?.test(transaction) !== true || fates.length === 0 || !endsWithCommit(sent)) {
        behind.write(sent);
        return;
      }
      if (fates.shift() === 'before') return cut();
      answerLost = true;
      behind.write(sent);
    });
    if (broken) client.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cutAtCommit(pattern, ...next) {
      said = pattern;
      fates.push(...next);
    },
    cuts: () => cuts,
    breakWithNextCut: () => void (breaking = true),
    mend() {
      breaking = false;
      broken = false;
    },
    async close() {
      destroyAll();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
