import type { Witnessed } from './witnessed.ts';

/** Everything that is known about a cart or lead, a line each: what was seen from outside, what the product tells, what was done to it. */
export function storyOf(seen: Witnessed, subject: string): string[] {
  const shopper = subject.replace(/^(?:cart|lead)-(\d+)-.*/, 'shopper-$1');
  const s = (runMs: number | null) => (runMs === null ? '        –' : (runMs / 1_000).toFixed(3).padStart(9));
  const webhooks = seen.deliveries
    .filter((d) => d.planned.shopper === shopper)
    .map((d) => ({
      atMs: d.sentMs ?? 0,
      line: `${s(d.sentMs)}  webhook ${d.planned.id} ${JSON.stringify(d.planned.event)} of ${s(d.planned.happenedAtMs).trim()}, 2xx at ${s(d.answeredMs).trim()}, attempts ${JSON.stringify(d.attempts)}`,
    }));
  const unsubscribes = seen.unsubscribes
    .filter((u) => u.shopper === shopper)
    .map((u) => ({ atMs: u.sentMs, line: `${s(u.sentMs)}  unsubscribe by link, 2xx at ${s(u.answeredMs).trim()}` }));
  const messages = seen.messages
    .filter((m) => m.subject === subject)
    .map((m) => ({ atMs: m.atMs, line: `${s(m.atMs)}  ${m.channel.toUpperCase()} ${m.step} to ${m.to}` }));
  const outside = [...webhooks, ...unsubscribes, ...messages].sort((a, b) => a.atMs - b.atMs).map(({ line }) => line);
  const inside = seen.enrollments
    .filter((e) => e.subject === subject)
    .flatMap((e) => [`enrollment ${e.id}, ${e.status} ${e.stopReason ?? ''}`, ...e.story]);
  const faults = seen.faults.map(({ fault, fromMs, toMs }) => `${s(fromMs)}  ${fault.kind} ${fault.what} until ${s(toMs).trim()}`);
  return [...outside, ...inside, 'faults of the run', ...faults];
}
