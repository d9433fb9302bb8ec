import { randomInt } from 'node:crypto';
import { busyPorts } from '../../local/ports.ts';

/**
 * Free ports below those that systems give to outgoing connections (Linux: from 32768 on). While a server is away, a client that keeps
 * asking for its port could otherwise be given that very port for its own end, and connect to itself.
 */
export async function stablePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(15_000, 32_000);
    if ((await busyPorts([{ port, variable: '', purpose: '' }])).length === 0) found.add(port);
  }
  return [...found];
}
