import { condition, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '10s' });

/** The floor of a sequence: timers and empty activities. */
export async function steps(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await sleep(5);
    await nothing();
  }
}

const close = defineSignal('close');

/** The floor of a stop: a signal ends it. */
export async function untilClosed(): Promise<void> {
  let closed = false;
  setHandler(close, () => void (closed = true));
  await condition(() => closed, '1h');
}
