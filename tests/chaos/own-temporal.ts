import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { localDir } from '../../local/local-files.ts';
import { freePort } from '../../local/ports.ts';
import { findTemporal, type TemporalBinary, temporalWays } from '../../local/temporal-binary.ts';
import { startTemporal, type TemporalServer } from '../../local/temporal-server.ts';

/** A Temporal with a database file, that a run may take away and bring back on the same port. */
export interface OwnTemporal {
  /** Known once it has started. */
  readonly address: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
  /** Remove its database; call it while it is stopped. */
  loseState(): void;
  /** Stop it and remove its folder. */
  remove(): Promise<void>;
}

interface OwnTemporalOptions {
  /** Of the database file; without it a kill of the whole machine may destroy it, one of the server may not. */
  durable?: boolean;
  /** Default: any free one. */
  port?: number;
  log?: (line: string) => void;
}

const silent = () => undefined;

export async function ownTemporal({ durable = false, port, log = silent }: OwnTemporalOptions = {}): Promise<OwnTemporal> {
  const binary = await theBinary(log);
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-temporal-'));
  let stablePort = port ?? (await freePort());
  let began = false;
  let server: TemporalServer | null = null;
  const stop = async () => {
    await server?.stop();
    server = null;
  };
  return {
    get address() {
      return `127.0.0.1:${stablePort}`;
    },
    async start() {
      const start = () => startTemporal({ dir, port: stablePort, uiPort: null, durable, log: silent, binary });
      server = await start().catch(async (error: unknown) => {
        if (began || port !== undefined) throw error;
        // Somebody else may have taken the port since it was free.
        stablePort = await freePort();
        return start();
      });
      began = true;
    },
    stop,
    kill() {
      if (server === null) throw new Error('there is no Temporal to kill');
      process.kill(server.pid, 'SIGKILL');
    },
    loseState() {
      const files = readdirSync(dir).filter((name) => name.startsWith('dev-server-'));
      if (files.length === 0) throw new Error('there is no database to lose');
      for (const name of files) rmSync(join(dir, name));
    },
    async remove() {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Run the `temporal` command as an operator would. @returns what it printed; rejects when it fails */
export async function temporalCommand(address: string, args: string[]): Promise<string> {
  const { path } = await theBinary();
  const { stdout } = await promisify(execFile)(path, [...args, '--address', address, '--namespace', 'default']);
  return stdout;
}

let binary: Promise<TemporalBinary> | undefined;
function theBinary(log: (line: string) => void = silent): Promise<TemporalBinary> {
  return (binary ??= findTemporal(temporalWays({ projectBinDir: join(localDir, 'bin'), log }), silent));
}
