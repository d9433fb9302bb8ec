import { createServer } from 'node:net';
import { StartError } from './start-error.ts';

/** A port that we are about to listen on, with the variable that moves it. */
export interface PortClaim {
  port: number;
  variable: string;
  /** What listens there, for people: `the mailbox page`. */
  purpose: string;
  /** The address it is taken at; the loopback where not given. */
  host?: string;
}

/** A number from a variable of the environment, or its default. @throws StartError when it is no port */
export function portFrom(variable: string, fallback: number, source: Record<string, string | undefined> = process.env): number {
  const given = source[variable]?.trim();
  if (!given) return fallback;
  const port = Number(given);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new StartError(`${variable} is not a port: give a number between 1 and 65535, or leave it out to use ${fallback}.`);
}

/** One line per port that is taken or asked for twice, naming the variable that moves it. Empty: all free. */
export async function busyPorts(claims: readonly PortClaim[]): Promise<string[]> {
  const twice = claims.flatMap((claim, index) => {
    const first = claims.slice(0, index).find((other) => other.port === claim.port);
    return first === undefined ? [] : [`Port ${claim.port} is asked for twice, by ${first.variable} and ${claim.variable}. Give one another port.`];
  });
  if (twice.length > 0) return twice;
  const problems = await Promise.all(claims.map(async (claim) => ({ claim, problem: await probe(claim.port, claim.host ?? '127.0.0.1') })));
  return problems.flatMap(({ claim, problem }) => (problem === null ? [] : [portMessage(claim, problem)]));
}

/** What a user reads about a port that cannot be had. */
function portMessage(claim: PortClaim, problem: 'busy' | 'forbidden'): string {
  const why = problem === 'busy' ? 'is in use by another program' : 'may not be used by this user';
  return `Port ${claim.port} (${claim.purpose}) ${why}. Choose another: ${claim.variable}=${freeLookingPort(claim.port)} npm start`;
}

function freeLookingPort(port: number): number {
  return port < 1024 ? port + 8000 : port > 55_000 ? port - 1000 : port + 10_000;
}

/** A port that is free right now on the loopback; for tests. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

function probe(port: number, host: string): Promise<'busy' | 'forbidden' | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES' ? 'forbidden' : 'busy'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
