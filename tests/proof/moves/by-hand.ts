import { stopByHand } from '../../../operations/stop-one.ts';
import { type Move, noteStop } from './move.ts';

/** An operator stops one sequence. */
export const byHand: Move = {
  weight: () => 0.7,
  make(stage, run) {
    const enrollmentId = stage.seen.runs[run]?.enrollmentId ?? '';
    const input = { tenantId: stage.tenantId, enrollmentId, note: 'enough', actor: 'proof' };
    return {
      kind: 'call',
      words: 'stops by hand',
      async call(process) {
        const { kind } = await stopByHand(process.deps, input);
        return kind === 'ended_before' ? 'stopped' : kind;
      },
      answered: noteStop(stage, { kind: 'by_hand', by: { run }, reaches: 'run' }),
    };
  },
};
