import { createServer } from 'node:net';
import type { ServicePorts } from './server-config.ts';

// The schema for Postgres keeps the membership port in a signed smallint: a server with a higher one ends at its start.
const highestPort = 32_767;
const lowestPort = 15_000;

/** Two ports that are free right now on the loopback and that Temporal's membership table can hold. */
export async function freeServicePorts(): Promise<ServicePorts> {
  return { grpc: await freeLowPort(), membership: await freeLowPort() };
}

const given = new Set<number>();

async function freeLowPort(): Promise<number> {
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort + 1));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
