import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endProcess, hasEnded } from '../../local/child-process.ts';
import { startScript } from '../chaos/own-process.ts';
import type { ProductProcess } from './faults.ts';
import type { RunClock } from './run-clock.ts';

/** One life of a process, on the run's clock. */
export interface Life {
  name: ProductProcess;
  pid: number;
  startedMs: number;
  /** When it said that it serves; null: it never did. */
  readyMs: number | null;
  endedMs: number | null;
  /** `by itself`: nobody asked it to end. */
  end: 'killed' | 'asked' | 'by itself' | null;
  /** Exit code or signal. */
  how: string | null;
  /** When it was asked to end; null: it was not. */
  askedMs: number | null;
}

/** A process that is started again whenever it ends, as a supervisor would. */
export interface SupervisedProcess {
  name: ProductProcess;
  lives: Life[];
  /** Resolves once it serves. */
  ready(): Promise<void>;
  /** Each of these answers false where it does not serve yet: then it is left alone. */
  kill(downMs: number): Promise<boolean>;
  /** SIGTERM, and SIGKILL where that does not help for long. */
  end(downMs: number): Promise<boolean>;
  pause(forMs: number): Promise<boolean>;
  /** End it for good. */
  stop(): Promise<void>;
}

const projectDir = fileURLToPath(new URL('../../', import.meta.url));

/** Whether `npm run build` has made what production runs. */
export const isBuilt = () => existsSync(join(projectDir, 'dist/api/server.js'));
/** Longer than a worker's shutdown grace and its last call to a Temporal that is away. */
const graceMs = 40_000;
const restartAfterMs = 1_000;

export interface ProcessOptions {
  env: Record<string, string>;
  logFile: string;
  /** Run `dist/`, as production does; else the sources. */
  built: boolean;
  clock: RunClock;
}

export function supervise(name: ProductProcess, { env, logFile, built, clock }: ProcessOptions): SupervisedProcess {
  const program = name.startsWith('api') ? 'api/server' : 'worker/main';
  const script = built ? `dist/${program}.js` : `${program}.ts`;
  const lives: Life[] = [];
  let current: { child: ChildProcess; life: Life } | null = null;
  let stopped = false;
  /** Until when it stays down. */
  let downUntilMs = 0;
  const waiting = new Set<() => void>();

  const running = (async () => {
    while (!stopped) {
      const { readyMs, end } = await live();
      // What ends by itself is tried again after a while, as supervisors do.
      const againFromMs = clock.nowMs() + (readyMs === null || end === 'by itself' ? restartAfterMs : 0);
      while (!stopped && clock.nowMs() < Math.max(againFromMs, downUntilMs)) await sleep(20);
    }
  })();

  async function live(): Promise<Life> {
    const { child: started } = await startScript(script, { env, logFile });
    const mine: Life = {
      name,
      pid: started.pid ?? -1,
      startedMs: clock.nowMs(),
      readyMs: null,
      endedMs: null,
      end: null,
      how: null,
      askedMs: null,
    };
    lives.push(mine);
    current = { child: started, life: mine };
    started.on('message', (message) => {
      if (message !== 'ready') return;
      mine.readyMs = clock.nowMs();
      for (const tell of waiting) tell();
      waiting.clear();
    });
    await once(started, 'exit');
    mine.endedMs = clock.nowMs();
    mine.end ??= 'by itself';
    mine.how = started.signalCode ?? `exit code ${started.exitCode}`;
    return mine;
  }

  const alive = () => (current === null || hasEnded(current.child) ? null : current);
  const serving = () => (current?.life.readyMs == null ? null : alive());

  return {
    name,
    lives,
    ready: () => (serving() === null ? new Promise((resolve) => waiting.add(resolve)) : Promise.resolve()),
    async kill(downMs) {
      const victim = serving();
      if (victim === null) return false;
      downUntilMs = clock.nowMs() + downMs;
      victim.life.end = 'killed';
      victim.child.kill('SIGKILL');
      await clock.until(downUntilMs);
      return true;
    },
    async end(downMs) {
      const asked = serving();
      if (asked === null) return false;
      downUntilMs = Infinity;
      await ask(asked);
      downUntilMs = clock.nowMs() + downMs;
      await clock.until(downUntilMs);
      return true;
    },
    async pause(forMs) {
      const paused = serving();
      if (paused === null) return false;
      paused.child.kill('SIGSTOP');
      await sleep(forMs);
      paused.child.kill('SIGCONT');
      return true;
    },
    async stop() {
      stopped = true;
      const last = alive();
      if (last !== null) await ask(last);
      await running;
    },
  };

  async function ask({ child, life }: { child: ChildProcess; life: Life }): Promise<void> {
    life.askedMs = clock.nowMs();
    life.end = 'asked';
    await endProcess(child, 'SIGTERM', graceMs);
  }
}
