import { join } from 'node:path';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

/** What happens to a COMMIT whose answer never arrives. */
export type LostCommit =
  /** Committed; the answer is swallowed. */
  | { kind: 'answer_lost' }
  /** It never reached the server: rolled back. */
  | { kind: 'never_sent' }
  /** The caller's connection is gone at once, the server commits later (or has given the transaction up by then). */
  | { kind: 'late'; afterMs: number };

/** A stretch of network between a pool and Postgres that loses COMMITs. It sees bytes only. */
export interface PostgresLine {
  port: number;
  /** Do this with the next COMMIT on this connection (the client's local port). */
  loseOn(clientPort: number, fate: LostCommit): void;
  /** Do these, in order, with the next COMMITs of transactions with a matching statement, on whichever connection. */
  loseAfter(said: RegExp, ...fates: LostCommit[]): void;
  /** How many were lost. */
  lost(): number;
  /** With the next loss every connection breaks, and nobody gets through until `mend`. */
  breakWithNextLoss(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Where a server listens. @param url - of one of its databases; its host is an address, or the folder of a socket */
export function addressOf(url: string): NetConnectOpts {
  const { hostname, port } = new URL(url);
  const host = decodeURIComponent(hostname);
  const ownPort = port === '' ? 5432 : Number(port);
  return host.startsWith('/') ? { path: join(host, `.s.PGSQL.${ownPort}`) } : { host, port: ownPort };
}

/**
 * @param url - of a database of the server at the other end
 * @param onLoss - called as each connection breaks, before anybody can know of it
 */
export async function startPostgresLine(url: string, onLoss: () => void = () => undefined): Promise<PostgresLine> {
  const upstream = addressOf(url);
  const onConnection = new Map<number, LostCommit>();
  let said: RegExp | null = null;
  const next: LostCommit[] = [];
  let lost = 0;
  let breaking = false;
  let broken = false;
  const sockets = new Set<Socket>();
  const destroyAll = () => sockets.forEach((socket) => socket.destroy());

  const server = createServer((client) => {
    const clientPort = client.remotePort ?? 0;
    const behind = connect(upstream);
    for (const socket of [client, behind]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    let transaction = '';
    let fate: LostCommit | null = null;
    const lose = () => {
      lost += 1;
      onLoss();
      broken = breaking;
      if (broken) destroyAll();
      client.destroy();
      if (fate?.kind !== 'late') behind.destroy();
    };
    client.on('close', () => {
      onConnection.delete(clientPort);
      // A COMMIT that is to take effect may still be on its way.
      if (fate === null) behind.destroy();
    });
    behind.on('close', () => client.destroy());
    behind.on('data', (answer) => {
      if (fate === null) client.write(answer);
      // The answer of the statement before it may come first.
      else if (fate.kind === 'answer_lost' && saysCommitted(answer)) lose();
    });
    client.on('data', (sent) => {
      if (said !== null) {
        const text = sent.toString('latin1');
        // The byte before a statement is its length, and may be a letter.
        if (/begin;/i.test(text)) transaction = '';
        transaction += text;
      }
      if (endsWithCommit(sent)) fate ??= onConnection.get(clientPort) ?? (said?.test(transaction) === true ? (next.shift() ?? null) : null);
      if (fate?.kind === 'never_sent') return lose();
      if (fate?.kind === 'late') {
        setTimeout(() => behind.end(sent), fate.afterMs);
        setTimeout(() => behind.destroy(), fate.afterMs + 2_000);
        return lose();
      }
      behind.write(sent);
    });
    if (broken) client.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    loseOn: (clientPort, fate) => void onConnection.set(clientPort, fate),
    loseAfter(pattern, ...fates) {
      said = pattern;
      next.push(...fates);
    },
    lost: () => lost,
    breakWithNextLoss: () => void (breaking = true),
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

/** Whether what a client sent ends with a COMMIT, which may share a packet with the statement before it: `Q`, its length, the word, NUL. */
function endsWithCommit(sent: Buffer): boolean {
  const last = sent.subarray(-12);
  return last[0] === 0x51 && last.toString('latin1', 5).toLowerCase() === 'commit\0';
}

/** Whether the server says in this answer that a COMMIT was carried out. */
const saysCommitted = (answer: Buffer): boolean => answer.includes('COMMIT\0');
