import { createServer } from 'node:net';
import type { EnvProblem } from '../config/env.ts';

/** A port that we are about to listen on, with the variable that moves it. */
export interface PortClaim {
  port: number;
  variable: string;
  /** What listens there, for people: `the mailbox page`. */
  purpose: string;
  /** The address it is taken at; the loopback where not given. */
  host?: string;
}

/** A number from a variable of the environment, or its default. @returns also what is wrong with it; null: nothing */
export function readPort(
  variable: string,
  fallback: number,
  source: Record<string, string | undefined>,
): { port: number; problem: EnvProblem | null } {
  const given = source[variable]?.trim();
  if (!given) return { port: fallback, problem: null };
  const port = Number(given);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return { port, problem: null };
  const remedy = `Give a number between 1 and 65535, or leave it out to use ${fallback}.`;
  return { port: fallback, problem: { variable, problem: 'is not a port', remedy } };
}

/** One line per port that is taken or asked for twice, naming the variable that moves it. Empty: all free. */
export async function busyPorts(claims: readonly PortClaim[]): Promise<string[]> {
  const twice = claims.flatMap((claim, index) => {
    const first = claims.slice(0, index).find((other) => other.port === claim.port);
    return first === undefined ? [] : [`Port ${claim.port} is asked for twice, by ${first.variable} and ${claim.variable}. Give one another port.`];
  });
  const problems: { claim: PortClaim; problem: 'busy' | 'forbidden' | null }[] = [];
  // One after the other: otherwise two probes of the same port would collide.
  for (const claim of claims) problems.push({ claim, problem: await probe(claim.port, claim.host ?? '127.0.0.1') });
  return [...twice, ...problems.flatMap(({ claim, problem }) => (problem === null ? [] : [portMessage(claim, problem)]))];
}

/** What a user reads where a port was free when it was looked at, and taken when it was listened on. @returns null: the error is about something else */
export function lostPort(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE' || !('port' in error)) return null;
  return `Port ${String(error.port)} was taken by another program while everything started. Start again; the message then names the variable that moves it.`;
}

/** What a user reads about a port that cannot be had. */
function portMessage(claim: PortClaim, problem: 'busy' | 'forbidden'): string {
  const why = problem === 'busy' ? 'is in use by another program' : 'may not be used by this user';
  return `Port ${claim.port} (${claim.purpose}) ${why}. Choose another: ${claim.variable}=${freeLookingPort(claim.port)} npm start`;
}

function freeLookingPort(port: number): number {
  return port < 1024 ? port + 8000 : port > 55_000 ? port - 1000 : port + 10_000;
}

/** The first free port from a number on. */
export async function freePortFrom(port: number): Promise<number> {
  for (let next = port; next < port + 100; next++) if ((await probe(next, '127.0.0.1')) === null) return next;
  return freePort();
}

/** A port that is free right now on the loopback. */
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
