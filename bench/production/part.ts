import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { endProcess, hasEnded, tieToParent, waitUntil } from '../../local/child-process.ts';
import { StartError } from '../../local/start-error.ts';

const root = resolve(import.meta.dirname, '../..');

export interface PartOptions {
  name: string;
  /** For the table: parts of one kind are added up. */
  kind: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  logFile: string;
  /** Polled after each start. */
  isReady(child: ChildProcess): Promise<boolean> | boolean;
}

/** One process of the topology that is started, killed and started again. Ends with this process, however that ends. */
export class Part {
  readonly name: string;
  readonly kind: string;
  readonly #options: PartOptions;
  #child: ChildProcess | null = null;
  #saidReady = false;

  constructor(options: PartOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child === null || hasEnded(this.#child) ? null : (this.#child.pid ?? null);
  }

  /** Said over IPC by our own entry points. */
  get saidReady(): boolean {
    return this.#saidReady;
  }

  /** @throws StartError with its last output when it does not get ready within a minute */
  async start(): Promise<void> {
    const { name, command, args, env, logFile, isReady } = this.#options;
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', log, log, 'ipc'], detached: true });
    closeSync(log);
    this.#child = child;
    this.#saidReady = false;
    child.on('error', () => {});
    child.on('message', (message) => {
      if (message === 'ready') this.#saidReady = true;
    });
    tieToParent(child, 'TERM');
    const ready = await waitUntil(async () => hasEnded(child) || (await isReady(child)), 90_000, 50);
    if (!ready || hasEnded(child)) throw new StartError(`${name} did not start: ${this.#lastWords()}`);
  }

  /** Rejects when it ends, however that happens; never resolves. */
  failsWhenItEnds(): Promise<never> {
    const child = this.#child;
    const rejecting = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new StartError(`${this.name} has ended: ${this.#lastWords()}`));
      if (child === null || hasEnded(child)) fail();
      else child.once('exit', fail);
    });
    // Callers that raced it against something else may have stopped listening.
    rejecting.catch(() => {});
    return rejecting;
  }

  #lastWords(): string {
    return readFileSync(this.#options.logFile, 'utf8').trim().slice(-2_000);
  }

  /** SIGKILL. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.#child !== null) await endProcess(this.#child, 'SIGTERM', 30_000);
  }
}

/** An entry point of this repository that says `ready` over IPC. @param options - `built`: from dist/, where the build has it */
export function scriptPart({
  script,
  built,
  ...options
}: Omit<PartOptions, 'command' | 'args' | 'isReady'> & { script: string; built: boolean }): Part {
  const compiled = join('dist', script.replace(/\.ts$/, '.js'));
  const args = built && existsSync(join(root, compiled)) ? ['--enable-source-maps', compiled] : ['--import', 'tsx', script];
  const part: Part = new Part({ ...options, command: process.execPath, args, isReady: () => part.saidReady });
  return part;
}
