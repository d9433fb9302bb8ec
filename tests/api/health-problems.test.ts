import { expect, test } from 'vitest';
import { type Health, problemsOf } from '../../api/routes/health/examine.ts';

// Whoever is called at night reads these sentences first: they contradict nothing, and no part that is not well goes without one.

type Parts = Health['report']['parts'];
const well: Parts = {
  postgres: { status: 'ok', latency_ms: 1 },
  temporal: { status: 'ok', server_version: '1.31.2', missing_search_attributes: [] },
  worker: { status: 'ok', seen_ms_ago: 10 },
  relay: { status: 'ok', waiting: 0, oldest_ms: 0 },
  intake: { status: 'ok', quarantined: 0, may_be_stops: 0, oldest_stop_ms: 0 },
  steps: { status: 'ok', late: 0, worst_late_ms: 0, backlog_ms: 0 },
};

test('where all is well there is nothing to say', () => {
  expect(problemsOf(well)).toEqual([]);
});

test.each([
  [{ late: 0, worst_late_ms: 0, backlog_ms: 54_000 }, 'Steps go out late: the oldest has been waiting for a worker for 54 s. The machine'],
  [{ late: 2, worst_late_ms: 200_000, backlog_ms: 0 }, 'Steps go out late: 2 in the last minute, by up to 200 s. The machine'],
  [
    { late: 2, worst_late_ms: 40_000, backlog_ms: 54_000 },
    'Steps go out late: 2 in the last minute, by up to 40 s; the oldest has been waiting for a worker for 54 s. The machine',
  ],
])('late steps are told by those that went and by those that wait: %o', (steps, begins) => {
  const [problem, ...others] = problemsOf({ ...well, steps: { status: 'late', ...steps } });
  expect(problem?.startsWith(begins), problem).toBe(true);
  expect(others).toEqual([]);
});

test('figures that Postgres did not give in time are named', () => {
  const unknown = { ...well, intake: { ...well.intake, status: 'unknown' as const }, steps: { ...well.steps, status: 'unknown' as const } };
  expect(problemsOf(unknown)).toEqual([expect.stringContaining('how these stand: intake, steps.')]);
  // With Postgres away that is said already.
  expect(problemsOf({ ...unknown, postgres: { status: 'down', latency_ms: null } })).toEqual([expect.stringContaining('Postgres cannot be reached')]);
});

test('what Temporal lacks is said with the command that adds it', () => {
  const lacks = (missing: string[] | null) => problemsOf({ ...well, temporal: { ...well.temporal, missing_search_attributes: missing } });
  expect(lacks(['Tenant', 'Subject'])).toEqual([
    'Temporal lacks the search attributes Tenant, Subject: no workflow can start. Run: temporal operator search-attribute create --name Tenant --type Keyword --name Subject --type Keyword',
  ]);
  expect(lacks(null)).toEqual([]);
});
