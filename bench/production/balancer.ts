import { Agent, type IncomingMessage, request } from 'node:http';
import type { Signed } from '../shop.ts';

const checkEveryMs = 250;

/** A load balancer for several processes: in turn, and only those that are ready. */
export interface Balancer {
  /** One attempt at one process. @returns the status. @throws when the connection fails or nothing is answered in time */
  post(signed: Signed): Promise<number>;
  close(): void;
}

/** @param healthPath - asked four times a second, 2xx means ready; null: all are taken as ready, always */
export function createBalancer(ports: readonly number[], healthPath: string | null): Balancer {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const down = new Set<number>();
  let turn = 0;
  const check = async (port: number) => {
    const status = await call({ agent, port, method: 'GET', path: healthPath ?? '/', timeoutMs: 1_000 }).catch(() => 0);
    if (status >= 200 && status < 300) down.delete(port);
    else down.add(port);
  };
  const timer = healthPath === null ? null : setInterval(() => void Promise.all(ports.map(check)), checkEveryMs);
  return {
    async post({ path, payload, headers }) {
      const ready = ports.filter((port) => !down.has(port));
      const candidates = ready.length > 0 ? ready : ports;
      const port = candidates[turn++ % candidates.length];
      if (port === undefined) throw new RangeError('no process to send to');
      try {
        // Shops wait five seconds.
        return await call({
          agent,
          port,
          method: 'POST',
          path,
          payload,
          headers: { 'content-type': 'application/json', ...headers },
          timeoutMs: 5_000,
        });
      } catch (error) {
        // Out until the next check says otherwise.
        if (healthPath !== null) down.add(port);
        throw error;
      }
    },
    close() {
      if (timer !== null) clearInterval(timer);
      agent.destroy();
    },
  };
}

interface Call {
  agent: Agent;
  port: number;
  method: 'GET' | 'POST';
  path: string;
  payload?: string;
  headers?: Record<string, string>;
  timeoutMs: number;
}

function call({ agent, port, method, path, payload, headers, timeoutMs }: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
      response.on('close', () => reject(new Error('the answer broke off')));
    };
    const req = request(
      { agent, host: '127.0.0.1', port, path, method, timeout: timeoutMs, ...(headers === undefined ? {} : { headers }) },
      answered,
    );
    req.on('timeout', () => req.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    req.on('error', reject);
    req.end(payload);
  });
}
