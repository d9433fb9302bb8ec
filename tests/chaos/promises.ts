// What every observer judges, whatever it observes: the far end's record against the answers that were given. docs/guarantees.md

/** G1: what was accepted more than once, by its key. */
export function secondCopies<T>(accepted: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const byKey = new Map<string, T[]>();
  for (const item of accepted) byKey.set(keyOf(item), [...(byKey.get(keyOf(item)) ?? []), item]);
  return new Map([...byKey].filter(([, copies]) => copies.length > 1));
}

/**
 * G2: by how much something came after the answer to a stop that covers it, without tolerance.
 * @param answeredMs - of the first 2xx, on the clock of `atMs`; null: none was given, so nothing was promised
 * @returns null where it came before
 */
export function afterStop(atMs: number, answeredMs: number | null): number | null {
  return answeredMs !== null && atMs > answeredMs ? atMs - answeredMs : null;
}
