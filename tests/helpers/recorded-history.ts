import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';

type History = ReturnType<typeof historyFromJSON>;
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A recorded run, as it lies in tests/workflows/histories/. */
export interface RecordedHistory {
  workflowId: string;
  history: History;
}

/**
 * A history as a file that may be shared: names of machines, processes and paths are replaced, replay does not look at them.
 * @returns JSON in the form of `temporal workflow show --output json`
 */
export function historyFile(history: History): string {
  const events: Json = JSON.parse(historyToJSON(history));
  return `${JSON.stringify(withoutMachine(events), null, 1)}\n`;
}

/** @throws when the text is no history, or does not name its workflow id */
export function readHistoryFile(text: string): RecordedHistory {
  const history = historyFromJSON(JSON.parse(text));
  const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  if (workflowId === undefined || workflowId === null || workflowId === '') throw new Error('the first event names no workflow id');
  return { workflowId, history };
}

function withoutMachine(value: Json, key = ''): Json {
  if (Array.isArray(value)) return value.map((item) => withoutMachine(item));
  if (value !== null && typeof value === 'object') {
    // The name of a sticky task queue is made of the worker's process and host.
    if (value['kind'] === 'TASK_QUEUE_KIND_STICKY') return { ...value, name: 'sticky' };
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutMachine(inner, name)]));
  }
  if (key === 'identity') return 'recorder';
  if (key === 'stackTrace') return '';
  return value;
}
