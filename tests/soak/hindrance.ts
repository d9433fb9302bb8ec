import { isAmbiguous, isOfFarEnd } from './faults.ts';
import type { StepEnd, Witnessed } from './witnessed.ts';

// What may keep a step from being sent, or its outcome from being known. What is not found here is a violation.

/** Above it nothing can be said about times: programs wait longer for a core than they compute. */
const overloadPerCore = 3;
const callMs = 9_000;
/** A claim whose worker has gone is swept when its lease is dead (15 s), by a job that runs every 10 s. */
const sweptMs = 26_000;
/** As long as this after everything is back, the last of it has been tried again: claims of a dead relay, dispatches of a dead worker. */
const recoveryMs = 35_000;
/** With so much time in which everything was up, a step that is due has gone out. */
const enoughMs = 30_000;

/** What made the outcome of a call unknowable; null: nothing that was done. */
export function whyUnknown(seen: Witnessed, { claimedMs, response }: StepEnd): string | null {
  if (claimedMs === null) return null;
  const during = (lastsMs: number) =>
    seen.faults.filter(({ fromMs, toMs }) => fromMs <= claimedMs + lastsMs && toMs >= claimedMs - 500).map(({ fault }) => fault);
  if (during(callMs).some(isAmbiguous)) return 'the far end gave no answer';
  if (during(callMs).some((f) => f.kind === 'kill' && f.what.startsWith('worker'))) return 'a worker was killed';
  if (during(callMs).some((f) => f.kind === 'pause')) return 'a worker was paused';
  if (during(sweptMs).some((f) => f.what === 'postgres')) return 'Postgres was killed';
  // A call that ran out of its time, and said so.
  const ranOut = response !== null && /deadline/.test(response);
  return ranOut && overloadedIn(seen, claimedMs, claimedMs + callMs) ? 'the machine was overloaded' : null;
}

/** What kept a step from being sent for as long as it lived; null: nothing that was done. */
export function whyTooOld(seen: Witnessed, fromMs: number, toMs: number): string | null {
  if (overloadedIn(seen, fromMs, toMs)) return 'the machine was overloaded';
  return longestCalm(seen, fromMs, toMs) < recoveryMs + enoughMs ? 'something was always away' : null;
}

function overloadedIn({ loads }: Witnessed, fromMs: number, toMs: number): boolean {
  return loads.some(({ atMs, perCore }) => perCore > overloadPerCore && atMs >= fromMs - 5_000 && atMs <= toMs + 30_000);
}

/** The longest stretch of a time in which Postgres, Temporal, the far ends and a worker were there. Milliseconds. */
function longestCalm(seen: Witnessed, fromMs: number, toMs: number): number {
  const servers = seen.faults.filter(({ fault }) => isOfFarEnd(fault) || fault.what === 'postgres' || fault.what === 'temporal');
  const workers = seen.lives.flatMap((life) =>
    life.name.startsWith('worker') && life.readyMs !== null ? [{ fromMs: life.readyMs, toMs: life.endedMs ?? Infinity }] : [],
  );
  const edges = [fromMs, toMs, ...[...servers, ...workers].flatMap((span) => [span.fromMs, span.toMs])]
    .filter((edge) => edge >= fromMs && edge <= toMs)
    .sort((a, b) => a - b);
  let longest = 0;
  let calmSinceMs: number | null = null;
  for (const [index, edge] of edges.entries()) {
    const next = edges[index + 1];
    if (next === undefined || next === edge) continue;
    const middle = (edge + next) / 2;
    const within = (span: { fromMs: number; toMs: number }) => span.fromMs < middle && middle < span.toMs;
    const calm = !servers.some(within) && workers.some(within);
    calmSinceMs = calm ? (calmSinceMs ?? edge) : null;
    if (calmSinceMs !== null) longest = Math.max(longest, next - calmSinceMs);
  }
  return longest;
}
