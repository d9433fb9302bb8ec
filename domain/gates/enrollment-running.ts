import type { Answer, DecisiveGate } from './gate.ts';

/** A step of an enrollment that ended does nothing, silently. */
export const enrollmentRunning: DecisiveGate = {
  name: 'enrollment_running',
  check({ facts: { enrollment, progress, sequence } }): Answer {
    const ended = enrollment.ended ?? progress.stopped;
    const input = { ended };
    const exit = ended === null ? (sequence?.exit ?? null) : null;
    if (exit !== null) return { result: 'stop', reason: exit, input: { ended, exit }, note: 'Everybody on this version of the sequence leaves it.' };
    if (ended === null) return { result: 'pass', input };
    if (ended === 'completed') return { result: 'skip', reason: 'stopped', input, note: 'The sequence had run to its end.' };
    return { result: 'stop', reason: ended, input, note: 'The sequence had been stopped.' };
  },
};
