import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPresetCopy } from '../content/preset-copy.ts';
import type { Deps } from './deps.ts';
import { type CompiledPreset, compilePreset, publishPreset } from './publish-sequence.ts';

/** The folder of preset sequences, also from compiled output, which lies one level deeper. */
export function presetsFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, '../sequences'), join(here, '../../sequences')].find((folder) => existsSync(join(folder, 'cart.yaml')));
  if (found === undefined) throw new Error(`no sequences beside ${here}: the installation is incomplete`);
  return found;
}

/** Read, check and compile every preset of a folder. @throws PresetError naming file, line and remedy */
export async function loadPresets(folder = presetsFolder()): Promise<CompiledPreset[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    files.map(async (name) => {
      const copyFolder = join(folder, basename(name, '.yaml'));
      const copy = existsSync(copyFolder) ? await loadPresetCopy(copyFolder) : {};
      return compilePreset({ file: `sequences/${name}`, yaml: await readFile(join(folder, name), 'utf8'), copy });
    }),
  );
}

/**
 * Presets that a store has to resume before they take anybody in: both `lead-nurture` and `silent-lead` write to new leads, and which of them a store wants,
 * or whether both, only the store knows (docs/silent-leads.md). Whoever reports behaviour has not asked for messages because of it (docs/risk.md#interventions).
 */
const presetsToResume: ReadonlySet<string> = new Set(['silent-lead', 'churn-early', 'churn-active', 'churn-critical']);

/** On boot: a changed preset file becomes a new version in every tenant. Safe in several processes at once. */
export async function publishPresets(deps: Pick<Deps, 'db' | 'log' | 'subjects'>, presets: readonly CompiledPreset[]): Promise<void> {
  for (const tenant of await deps.db.listTenants()) await publishPresetsTo(deps, tenant, presets);
}

/** The same for one tenant. */
export async function publishPresetsTo(
  deps: Pick<Deps, 'db' | 'log' | 'subjects'>,
  tenant: { id: string; slug: string },
  presets: readonly CompiledPreset[],
): Promise<void> {
  for (const preset of presets) {
    const beginsPaused = presetsToResume.has(preset.definition.sequence);
    const version = await publishPreset(deps, tenant.id, preset, { beginsPaused });
    deps.log.info({ tenant: tenant.slug, sequence: preset.definition.sequence, version }, 'sequence in use');
  }
}
