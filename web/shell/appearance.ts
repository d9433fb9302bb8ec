import { useSyncExternalStore } from 'react';

/** How this browser shows the dashboard; kept in it. */
export interface Appearance {
  theme: 'auto' | 'light' | 'dark';
  direction: 'ltr' | 'rtl';
}

const key = 'rekindle.appearance';
const initial: Appearance = { theme: 'auto', direction: 'ltr' };
const listeners = new Set<() => void>();
let current = read();

function read(): Appearance {
  try {
    const kept: Partial<Appearance> = JSON.parse(localStorage.getItem(key) ?? '{}');
    return {
      theme: kept.theme === 'light' || kept.theme === 'dark' ? kept.theme : initial.theme,
      direction: kept.direction === 'rtl' ? 'rtl' : initial.direction,
    };
  } catch {
    return initial;
  }
}

/** Set it on the document: at the start, and whenever it changes. */
export function applyAppearance(): void {
  const { documentElement } = document;
  if (current.theme === 'auto') delete documentElement.dataset['theme'];
  else documentElement.dataset['theme'] = current.theme;
  documentElement.dir = current.direction;
}

export function changeAppearance(change: Partial<Appearance>): void {
  current = { ...current, ...change };
  localStorage.setItem(key, JSON.stringify(current));
  applyAppearance();
  for (const listener of listeners) listener();
}

export function useAppearance(): Appearance {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => current,
  );
}
