import type { z } from 'zod';

/**
 * A stored configuration without the keys that this build does not know. A later build has them: it runs beside this one during an upgrade, or was taken
 * back. What somebody enters is read strictly; of what is stored, one new key must not make the whole connection unreadable.
 * @param schema - of the integration; undefined: it has no configuration
 */
export function knownConfig(schema: z.ZodType | undefined, config: unknown): unknown {
  const read = schema?.safeParse(config);
  if (read === undefined || read.success) return config;
  return read.error.issues.reduce(
    (kept, issue) => (issue.code === 'unrecognized_keys' ? without(kept, issue.path, new Set(issue.keys)) : kept),
    config,
  );
}

/** @param path - to the object that has the keys */
function without(value: unknown, [first, ...rest]: readonly PropertyKey[], keys: ReadonlySet<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one: unknown, index) => (index === first ? without(one, rest, keys) : one));
  const entries = Object.entries(value);
  if (first === undefined) return Object.fromEntries(entries.filter(([name]) => !keys.has(name)));
  return Object.fromEntries(entries.map(([name, one]) => [name, name === first ? without(one, rest, keys) : one]));
}
