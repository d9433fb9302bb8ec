import { readdirSync, readFileSync } from 'node:fs';

/** What real shops sent and products of this kind got wrong: events in the order of their posting. All people in them are invented. */
export interface ShopCase {
  case: string;
  /** What is right, in a sentence. */
  expect: string;
  events: { integration: 'shopify' | 'generic'; topic?: string; headers?: Record<string, string>; body: unknown }[];
}

const folder = new URL('../fixtures/cases/', import.meta.url);
const isoTime = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g;

/** Names of all cases, without `.json`. */
export const shopCaseNames: readonly string[] = readdirSync(folder).map((file) => file.replace('.json', ''));

/**
 * A case with its times moved so that the latest is `nowMs`, their distances kept, and each written as finely as it was.
 * @param name - as in `shopCaseNames`
 */
export function shopCase(name: string, nowMs: number): ShopCase {
  const json = readFileSync(new URL(`${name}.json`, folder), 'utf8');
  const latestMs = Math.max(...(json.match(isoTime) ?? []).map((time) => Date.parse(time)));
  // By whole seconds, so that two times of one second stay so.
  const byMs = Math.floor((nowMs - latestMs) / 1_000) * 1_000;
  return JSON.parse(
    json.replace(isoTime, (time) => {
      const moved = new Date(Date.parse(time) + byMs).toISOString();
      const plain = time.includes('.') ? moved : moved.replace(/\.\d+Z$/, 'Z');
      return time.endsWith('Z') ? plain : plain.replace('Z', '+00:00');
    }),
  );
}
