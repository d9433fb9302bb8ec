import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { presetsFolder } from '../../operations/publish-presets.ts';
import { type CompiledPreset, compilePreset } from '../../operations/publish-sequence.ts';

/** The step of the demo store's cart sequence that the stand-in for a model writes. */
const step = 'email_24h';

/**
 * The preset `cart` with one step that a model writes, and the preset's own text in its place where that gives none.
 * @throws Error where the preset has no such step; PresetError as for every preset
 */
export async function compileWithModelStep(folder = presetsFolder()): Promise<CompiledPreset> {
  const yaml = await readFile(join(folder, 'cart.yaml'), 'utf8');
  const plain = `content: cart/${step} }`;
  if (!yaml.includes(plain)) throw new Error(`sequences/cart.yaml has no step with "${plain}": the demo store's model has nothing to write`);
  const written = yaml.replace(plain, `content: { model: cart/${step}, fallback: cart/${step} } }`);
  return compilePreset({ file: 'sequences/cart.yaml', yaml: written, copy: await loadPresetCopy(join(folder, 'cart')) });
}
