import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadPresets, presetsFolder, writeCompiledPresets } from '../../operations/publish-presets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-presets-'));
  for (const part of ['ghost', 'ghost.yaml']) cpSync(join(presetsFolder(), part), join(folder, part), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const compiled = () => join(folder, 'compiled-presets.json');

test('a process takes the presets that the build compiled', async () => {
  const fromFiles = await loadPresets(folder);
  await writeCompiledPresets(folder);
  expect(await loadPresets(folder)).toEqual(fromFiles);
  // What is taken is the build's, not compiled once more.
  writeFileSync(compiled(), readFileSync(compiled(), 'utf8').replace(fromFiles[0]?.sourceHash ?? '', 'of the build'));
  expect(await loadPresets(folder)).toMatchObject([{ sourceHash: 'of the build' }]);
});

test('a preset or a text of it that was changed since the build is compiled at start', async () => {
  await writeCompiledPresets(folder);
  const [before] = await loadPresets(folder);
  const yaml = readFileSync(join(folder, 'ghost.yaml'), 'utf8');
  writeFileSync(join(folder, 'ghost.yaml'), yaml.replace(/^name: .*$/m, 'name: Changed by hand'));
  const [changed] = await loadPresets(folder);
  expect(changed?.definition.name).toBe('Changed by hand');
  expect(changed?.sourceHash).not.toBe(before?.sourceHash);
  writeFileSync(join(folder, 'ghost.yaml'), yaml);
  expect(await loadPresets(folder)).toEqual([before]);
});
