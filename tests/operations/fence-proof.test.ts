import { afterEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { mutants } from '../proof/mutants.ts';
import { checkPatches, runMutant } from '../proof/run-mutants.ts';
import { runProof } from '../proof/run-proof.ts';

// The short run; the long one is `npm run proof` (docs/proof.md).

let database: TestDatabase;
afterEach(() => database?.drop());

test('random histories of dispatches, stops, repeats, merges, crashes and lost commits break no guarantee', async () => {
  database = await createTestDatabase();
  const seed = 20_260_704;
  const report = await runProof({ url: database.url, seed, forMs: 12_000, atOnce: 16 });
  const broken = report.violations.map((v) => [`npm run proof -- --seed ${seed} --history ${v.index}`, ...v.violations, ...v.trace].join('\n'));
  expect(broken).toEqual([]);
  // A run in which nothing happens proves nothing.
  const { counts, waits } = report;
  for (const count of [counts.accepted, counts.unknown, counts.stops, counts.repeats, counts.crashes, counts.lost_commits, waits['settled']])
    expect(count).toBeGreaterThan(0);
});

test('every rule of the fence that the proof leaves out is still where its mutant looks for it', () => {
  checkPatches();
});

test.each(['stop-does-not-wait', 'live-takeover'])(
  'the proof finds the fault within a minute: %s',
  async (name) => {
    const mutant = mutants.find((m) => m.name === name);
    if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
    database = await createTestDatabase();
    expect(await runMutant(mutant, database.url, 1)).toMatchObject({ found: expect.stringMatching(mutant.expects) });
  },
  120_000,
);
