import { readdirSync, readFileSync } from 'node:fs';

/** What a process has used so far; its children (Postgres has one per connection) count as its own, the dead ones too. */
export interface Cost {
  cpuMs: number;
  /** Memory of the process alone; meaningless for Postgres, whose processes share most of it. */
  rssMiB: number;
}

// The kernel's unit in /proc, the same on every Linux that Node runs on.
const ticksPerSecond = 100;

/** @returns null where the system has no /proc or the process has ended */
export function costOf(pid: number): Cost | null {
  const own = statOf(pid);
  if (own === null) return null;
  let ticks = own.ticks + own.deadChildrenTicks;
  for (const child of childrenOf(pid)) ticks += statOf(child)?.ticks ?? 0;
  const rss = /VmRSS:\s+(\d+) kB/.exec(readProc(`${pid}/status`) ?? '')?.[1];
  return { cpuMs: (ticks * 1_000) / ticksPerSecond, rssMiB: Number(rss ?? 0) / 1_024 };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => statOf(other)?.parent === pid);
}

function statOf(pid: number): { parent: number; ticks: number; deadChildrenTicks: number } | null {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  // The name in parentheses may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (index: number) => Number(fields[index]);
  return { parent: number(1), ticks: number(11) + number(12), deadChildrenTicks: number(13) + number(14) };
}

function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return null;
  }
}
