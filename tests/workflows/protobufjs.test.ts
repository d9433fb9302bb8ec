import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const from = createRequire(import.meta.url);

/** Where a package of the SDK finds protobufjs. */
function protobufjsOf(name: string): string {
  return createRequire(from.resolve(name)).resolve('protobufjs/package.json');
}

// Each copy has types of its own: with more than one, `historyFromJSON` fails with "type must be a Type" and no history can be replayed.
test('the SDK resolves one protobufjs, version 8', () => {
  const copies = new Set(
    ['@temporalio/common', '@temporalio/proto', '@temporalio/worker', '@temporalio/client', '@temporalio/testing'].map(protobufjsOf),
  );
  expect([...copies]).toHaveLength(1);
  const [copy = ''] = copies;
  expect(JSON.parse(readFileSync(copy, 'utf8')).version).toMatch(/^8\./);
  expect(dirname(copy)).toBe(join(dirname(from.resolve('protobufjs/package.json'))));
});
