import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { type RecordedHistory, readHistoryFile } from '../helpers/recorded-history.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'tests/workflows/histories');
/** EVENT_TYPE_ACTIVITY_TASK_SCHEDULED of Temporal's API. */
const activityTaskScheduled = 10;
const names = readdirSync(folder).filter((file) => file.endsWith('.json'));

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  // A replay that fails is this file's result, not a page of warnings.
  Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { filter: 'ERROR' } } });
  workflowBundle = await bundleWorkflowCode({ workflowsPath: join(root, 'workflows/index.ts'), logger: new DefaultLogger('ERROR') });
});

function recorded(name: string): RecordedHistory {
  return readHistoryFile(readFileSync(join(folder, name), 'utf8'));
}

/** Why today's workflow code cannot continue each of these runs; null where it can. */
async function replay(histories: RecordedHistory[]): Promise<(string | null)[]> {
  const outcomes: (string | null)[] = [];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, replayName: 'recorded' }, histories)) {
    outcomes.push(error === undefined ? null : `${error.name}: ${error.message}`);
  }
  return outcomes;
}

test('histories are recorded', () => {
  expect(names).not.toEqual([]);
});

test.each(names)('%s continues under the present code', async (name) => {
  expect(await replay([recorded(name)])).toEqual([null]);
});

test.each(names)('%s would be refused if the code asked for something else', async (name) => {
  const { workflowId, history } = recorded(name);
  const events = history.events ?? [];
  const index = events.findIndex((event) => event.activityTaskScheduledEventAttributes ?? event.timerStartedEventAttributes);
  expect(index, 'a history without a timer or an activity proves nothing').toBeGreaterThan(0);
  // As if the recorded run had scheduled an activity at this point that today's code does not know.
  const asked = {
    eventId: events[index]?.eventId ?? null,
    eventType: activityTaskScheduled,
    activityTaskScheduledEventAttributes: { activityId: '1', activityType: { name: 'anotherActivity' } },
  };
  expect(await replay([{ workflowId, history: { events: events.with(index, asked) } }])).toEqual([expect.stringContaining('Error: ')]);
});

test.each(names)('%s names no machine', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  const identities = [...text.matchAll(/"identity": "([^"]*)"/g)].map(([, identity]) => identity);
  expect(new Set(identities)).toEqual(new Set(['recorder']));
  expect(text).not.toMatch(/file:\/\/|node_modules/);
});
