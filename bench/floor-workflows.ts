import { condition, defineSignal, proxyActivities, proxyLocalActivities, setHandler, sleep } from '@temporalio/workflow';

interface FloorActivities {
  nothing(): Promise<void>;
  /** Notes how late it is. */
  late(dueMs: number): Promise<void>;
}
const { nothing, late } = proxyActivities<FloorActivities>({ startToCloseTimeout: '10s' });
const { nothing: nothingLocally } = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '10s' });

/** The floor of a sequence: timers and empty activities. */
export async function steps(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await sleep(5);
    await nothing();
  }
}

/** The same with local activities. */
export async function localSteps(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await sleep(5);
    await nothingLocally();
  }
}

/** The floor of a due step: how late an activity begins after its timer was to fire. */
export async function dueSteps(dueMs: number[]): Promise<void> {
  for (const atMs of dueMs) {
    await sleep(Math.max(1, atMs - Date.now()));
    await late(atMs);
  }
}

const close = defineSignal('close');

/** The floor of a stop: a signal ends it. */
export async function untilClosed(): Promise<void> {
  let closed = false;
  setHandler(close, () => void (closed = true));
  await condition(() => closed, '1h');
}
