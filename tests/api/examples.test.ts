import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRuns, workOnRun } from '../../operations/risk/runs.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// The examples of docs/accounts-at-risk.md run as a reader runs them: a program of its own, over HTTP.

let shop: Shop;
let url: string;
let isOpen = true;
let working: Promise<void>;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  url = await shop.app.listen({ host: '127.0.0.1', port: 0 });
  // The part of a worker that takes up portfolios.
  working = (async () => {
    while (isOpen) {
      await startRuns(shop.deps, (run) => workOnRun(shop.deps, run).then(() => undefined));
      await new Promise((later) => setTimeout(later, 100));
    }
  })();
});
afterAll(async () => {
  isOpen = false;
  await working;
  await shop.close();
});

/** @returns what it printed, and how it ended */
function run(example: string): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [`examples/accounts-at-risk/${example}.mjs`], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, REKINDLE_URL: url, REKINDLE_API_KEY: shop.tenant.apiKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part.toString()));
  return new Promise((done) => child.once('close', (code) => done({ code, said: parts.join('') })));
}

test.each([
  { example: 'monitor-and-intervene', says: /Begun: churn-early, at stake .*\n {2}\S+ by email, due .*, costs / },
  { example: 'portfolio', says: /^\d+ assessed, \d+ changed their band, 0 failed\n/ },
  { example: 'escalate', says: /Once more: [^m][\s\S]*Accepted: [\s\S]*done: stays until spring/ },
  { example: 'won-back', says: /early: churn-early\nThey bought: EXITED, purchased_elsewhere; outcome / },
  { example: 'figures', says: /no purchase within 60 days, by rules: [\s\S]*early: \d+ begun/ },
])('$example', async ({ example, says }) => {
  const { code, said } = await run(example);
  expect(said).toMatch(says);
  expect(code, said).toBe(0);
});
