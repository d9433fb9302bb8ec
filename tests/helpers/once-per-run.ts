import { freePort } from '../../local/ports.ts';

// Vitest runs a global setup once per project, each with a module instance of its own: what the projects share is kept here.
const kept = ((globalThis as Record<symbol, unknown>)[Symbol.for('rekindle.once-per-run')] ??= new Map()) as Map<
  string,
  { made: Promise<unknown>; users: number }
>;

/** Something that the first project of a run makes, all use, and the last one ends. */
export function oncePerRun<T>(name: string, make: () => Promise<T>, end: (made: T) => Promise<void>): { use(): Promise<T>; leave(): Promise<void> } {
  return {
    use() {
      const entry = kept.get(name) ?? { made: make(), users: 0 };
      kept.set(name, entry);
      entry.users += 1;
      return entry.made as Promise<T>;
    },
    async leave() {
      const entry = kept.get(name);
      if (entry === undefined) return;
      entry.users -= 1;
      if (entry.users > 0) return;
      kept.delete(name);
      await end((await entry.made) as T);
    },
  };
}

/** Servers on free ports, beside whatever else runs on this machine. A port that was free a moment ago may be taken by now. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
