import { afterEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { mutants } from '../proof/mutants.ts';
import { checkPatches, runMutant } from '../proof/run-mutants.ts';
import { runProof } from '../proof/run-proof.ts';

// The short run; the long one is `npm run proof` (docs/proof.md). Histories are counted and not seconds: a busy machine only takes longer.
const timeout = 15 * 60_000;

let database: TestDatabase;
afterEach(() => database?.drop());

test(
  'random histories of dispatches, stops, sets, repeats, merges, crashes and lost commits break no guarantee',
  async () => {
    database = await createTestDatabase();
    const seed = 20_260_704;
    const report = await runProof({ url: database.url, seed, histories: 56, atOnce: 14 });
    const broken = report.violations.map((v) => [`npm run proof -- --seed ${seed} --history ${v.index}`, ...v.violations, ...v.trace].join('\n'));
    expect(broken).toEqual([]);
    // A run in which nothing happens proves nothing.
    const { counts, waits } = report;
    expect(waits['settled']).toBeGreaterThan(0);
    const { accepted, unknown, stops, repeats, crashes, lost_commits, merges_by_lead, sets, unstorable } = counts;
    for (const [what, count] of Object.entries({ accepted, unknown, stops, repeats, crashes, lost_commits, merges_by_lead, sets, unstorable }))
      expect(count, what).toBeGreaterThan(0);
  },
  timeout,
);

test('every rule of the fence that the proof leaves out is still where its mutant looks for it', () => {
  checkPatches();
});

test.each(['stop-does-not-wait', 'live-takeover'])(
  'the proof finds the fault: %s',
  async (name) => {
    const mutant = mutants.find((m) => m.name === name);
    if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
    database = await createTestDatabase();
    const result = await runMutant(mutant, database.url, 1);
    if (result.found === null) throw new Error(`${name} survived ${result.histories} histories: ${result.said}`);
    expect(result.found).toMatch(mutant.expects);
  },
  timeout,
);
