import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { accountFeatures } from '../../domain/risk/account-features.ts';
import type { Features } from '../../domain/risk/example.ts';
import { ownModelFeatures } from '../../domain/risk/own-model.ts';
import { loadRuntime, OwnModels } from '../../integrations/onnx/own-models.ts';

// Files that stores bring are opened by ONNX Runtime itself: docs/rules.md#rule-126

const store = '01920000-0000-7000-8000-000000000001';
const file = (name: string) => join(import.meta.dirname, 'onnx', name);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-models-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const bring = (name: string) => copyFileSync(file(name), join(folder, `${store}.onnx`));

/** It is an optional dependency: where it was left out (`--omit=optional`) there is nothing to test but the error. */
function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-web/wasm');
    return true;
  } catch {
    return false;
  }
}

test('the features are those of accounts, each once', () => {
  expect([...ownModelFeatures].toSorted()).toEqual(Object.keys(accountFeatures([], 0)).toSorted());
});

describe.runIf(isInstalled())('with ONNX Runtime', () => {
  test('a classifier of scikit-learn says what scikit-learn says', async () => {
    bring('all-features.onnx');
    const { rows, lost } = z
      .object({ rows: z.array(z.array(z.number().nullable())), lost: z.array(z.number()) })
      .parse(JSON.parse(readFileSync(file('all-features.json'), 'utf8')));
    const model = await new OwnModels(folder).of(store);
    expect(model?.sha256).toMatch(/^[0-9a-f]{64}$/);
    const examples = rows.map((row): Features => Object.fromEntries(ownModelFeatures.map((name, index) => [name, row[index] ?? null])));
    const answers = (await model?.answer(examples)) ?? [];
    expect(answers).toHaveLength(20);
    for (const [index, answer] of answers.entries()) expect(answer).toBeCloseTo(lost[index] ?? -1, 5);
  });

  test('inputs may be named after features, and after events of the store’s own', async () => {
    bring('named-inputs.onnx');
    const model = await new OwnModels(folder).of(store);
    const chance = (logit: number) => 1 / (1 + Math.exp(-logit));
    const answers = await model?.answer([
      { daysSinceAny: 40, overdue: 2 },
      { daysSinceAny: 40, overdue: 2, 'own.report_exported': 1 },
      { overdue: null, daysSinceAny: 10 },
    ]);
    for (const [index, logit] of [4 + 0.4 - 3, 4 + 0.4 - 1.5 - 3, 1 - 3].entries()) expect(answers?.[index]).toBeCloseTo(chance(logit), 12);
  });

  test('a file that takes one row at a time is asked row by row; NaN is an answer that says nothing', async () => {
    bring('one-row.onnx');
    const model = await new OwnModels(folder).of(store);
    const answers = await model?.answer([{ daysSinceAny: 45 }, {}, { daysSinceAny: 180 }]);
    expect(answers).toEqual([0.5, Number.NaN, 1]);
  });

  test.each([
    { name: 'six-columns.onnx', says: /wants "X" \(6 columns\): it has to have one input of the 29 features/ },
    { name: 'list-of-maps.onnx', says: /`zipmap: False`/ },
    { name: 'no-chance.onnx', says: /answers 29 about an account of which everything is known, which is no chance from 0 to 1/ },
    { name: 'make_models.py', says: /is no ONNX model that can be opened/ },
  ])('$name is refused, and the error says why', async ({ name, says }) => {
    bring(name);
    await expect(new OwnModels(folder).of(store)).rejects.toMatchObject({ name: 'OwnModelError', code: 'OWN_MODEL_UNUSABLE', message: says });
  });

  test('a file that changed is opened again, and one that is gone is none', async () => {
    const models = new OwnModels(folder);
    expect(await models.of(store)).toBeNull();
    bring('all-features.onnx');
    const first = await models.of(store);
    expect((await models.of(store))?.sha256).toBe(first?.sha256);
    bring('named-inputs.onnx');
    const second = await models.of(store);
    expect(second?.sha256).not.toBe(first?.sha256);
    rmSync(join(folder, `${store}.onnx`));
    expect(await models.of(store)).toBeNull();
    expect(await models.of('01920000-0000-7000-8000-000000000002'), 'another store’s').toBeNull();
  });

  test('a file that counts without an end is ended; this process goes on meanwhile, and the other stores’ files answer', async () => {
    bring('endless.onnx');
    const models = new OwnModels(folder, () => loadRuntime({ openMs: 60_000, runMs: 300 }));
    let ticks = 0;
    const clock = setInterval(() => (ticks += 1), 10);
    const refused = { name: 'OwnModelError', message: expect.stringContaining('fails when it is asked: it takes longer than 0.3 s') };
    await expect(models.of(store)).rejects.toMatchObject(refused);
    clearInterval(clock);
    expect(ticks).toBeGreaterThan(5);
    // It is not tried again at once.
    const asked = performance.now();
    await expect(models.of(store)).rejects.toMatchObject(refused);
    expect(performance.now() - asked).toBeLessThan(300);
    const other = '01920000-0000-7000-8000-000000000003';
    copyFileSync(file('one-row.onnx'), join(folder, `${other}.onnx`));
    expect(await (await new OwnModels(folder).of(other))?.answer([{ daysSinceAny: 45 }])).toEqual([0.5]);
    bring('one-row.onnx');
    expect(await (await models.of(store))?.answer([{ daysSinceAny: 45 }])).toEqual([0.5]);
  });

  test('questions at the same moment are answered, each by itself', async () => {
    bring('named-inputs.onnx');
    const models = new OwnModels(folder);
    const days = Array.from({ length: 50 }, (_, n) => n);
    const answers = await Promise.all(
      days.map(async (daysSinceAny) => (await (await models.of(store))?.answer([{ daysSinceAny, overdue: 0 }]))?.[0]),
    );
    for (const [n, answer] of answers.entries()) expect(answer).toBeCloseTo(1 / (1 + Math.exp(3 - 0.1 * n)), 12);
  });
});

test('without ONNX Runtime the error says what to install, and nothing is loaded without a file', async () => {
  let loads = 0;
  const models = new OwnModels(folder, () => {
    loads += 1;
    return Promise.reject(new Error("Cannot find package 'onnxruntime-web'"));
  });
  expect(await models.of(store)).toBeNull();
  expect(await new OwnModels(null, () => Promise.reject(new Error('loaded'))).of(store)).toBeNull();
  expect(loads).toBe(0);
  writeFileSync(join(folder, `${store}.onnx`), 'anything');
  await expect(models.of(store)).rejects.toMatchObject({ message: expect.stringContaining('npm install --no-save onnxruntime-web@') as unknown });
  await expect(models.of(store), 'it may be installed by then').rejects.toThrow();
  expect(loads).toBe(2);
});
