import { useSyncExternalStore } from 'react';

const everyMs = 5_000;
let nowMs = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    nowMs = Date.now();
    for (const one of listeners) one();
  }, everyMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, epoch milliseconds, a few seconds old at most: all that shows how long something takes moves together. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => nowMs);
