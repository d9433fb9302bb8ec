/** How many steps were dispatched late, and the largest delay. */
export interface LateSteps {
  steps: number;
  worstMs: number;
}

/** Collects a process's late dispatches until they are stored. */
export interface LatenessLog {
  /** A step was dispatched this late: after its due time, or the later time to which it was put off. */
  note(tenantId: string, lateMs: number): void;
  /** Forget what was noted so far. @returns it, by tenant */
  take(): Map<string, LateSteps>;
}

/** A step is late from this delay on, in wall time: Temporal's timers and a busy minute cause less. */
const lateFromMs = 5_000;

export function createLatenessLog(): LatenessLog {
  let noted = new Map<string, LateSteps>();
  return {
    note(tenantId, lateMs) {
      if (lateMs < lateFromMs) return;
      const before = noted.get(tenantId) ?? { steps: 0, worstMs: 0 };
      noted.set(tenantId, { steps: before.steps + 1, worstMs: Math.max(before.worstMs, Math.round(lateMs)) });
    },
    take() {
      const taken = noted;
      noted = new Map();
      return taken;
    },
  };
}
