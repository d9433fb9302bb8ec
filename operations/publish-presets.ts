import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPresetCopy } from '../content/preset-copy.ts';
import { sequences } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';
import { type CompiledPreset, compilePreset, type PresetSource, publishPreset } from './publish-sequence.ts';

/** The folder of preset sequences, also from compiled output, which lies one level deeper. */
export function presetsFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, '../sequences'), join(here, '../../sequences')].find((folder) => existsSync(join(folder, 'cart.yaml')));
  if (found === undefined) throw new Error(`no sequences beside ${here}: the installation is incomplete`);
  return found;
}

/** What the build made of the presets beside it, so that no process compiles a hundred emails when it starts. */
const compiledFile = 'compiled-presets.json';

interface CompiledFile {
  /** Of the sources that were compiled. */
  sources: string;
  presets: CompiledPreset[];
}

/**
 * Every preset of a folder: what the build compiled where its files are as they were then, else read, checked and compiled.
 * @throws PresetError naming file, line and remedy
 */
export async function loadPresets(folder = presetsFolder()): Promise<CompiledPreset[]> {
  const sources = await readSources(folder);
  const compiled = join(folder, compiledFile);
  if (existsSync(compiled)) {
    const kept = JSON.parse(await readFile(compiled, 'utf8')) as CompiledFile;
    if (kept.sources === hashOf(sources)) return kept.presets;
  }
  return Promise.all(sources.map((source) => compilePreset(source)));
}

/** For the build: compile the presets of a folder into a file of it. @throws PresetError naming file, line and remedy */
export async function writeCompiledPresets(folder: string): Promise<void> {
  const sources = await readSources(folder);
  const presets = await Promise.all(sources.map((source) => compilePreset(source)));
  await writeFile(join(folder, compiledFile), JSON.stringify({ sources: hashOf(sources), presets } satisfies CompiledFile));
}

async function readSources(folder: string): Promise<PresetSource[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    files.map(async (name) => {
      const copyFolder = join(folder, basename(name, '.yaml'));
      const copy = existsSync(copyFolder) ? await loadPresetCopy(copyFolder) : {};
      return { file: `sequences/${name}`, yaml: await readFile(join(folder, name), 'utf8'), copy };
    }),
  );
}

const hashOf = (sources: readonly PresetSource[]) => createHash('sha256').update(JSON.stringify(sources)).digest('hex');

/**
 * Presets that a store has to resume before they take anybody in: both `lead-nurture` and `silent-lead` write to new leads, and which of them a store wants,
 * or whether both, only the store knows (docs/silent-leads.md). Whoever reports behaviour has not asked for messages because of it (docs/risk.md#interventions).
 */
const presetsToResume: ReadonlySet<string> = new Set(['silent-lead', 'churn-early', 'churn-active', 'churn-critical']);

/**
 * On boot: a changed preset file becomes a new version in every tenant. Safe in several processes at once.
 * @param how.isHeld - processes of an older build still run, which may not know the words of a newer preset: only tenants without sequences get them.
 *   Source: docs/adr/0109-presets-wait-for-the-old-build.md
 */
export async function publishPresets(
  deps: Pick<Deps, 'db' | 'log' | 'subjects'>,
  presets: readonly CompiledPreset[],
  { isHeld = false }: { isHeld?: boolean } = {},
): Promise<void> {
  for (const tenant of await deps.db.listTenants()) {
    if (isHeld && (await hasSequences(deps, tenant.id))) deps.log.info({ tenant: tenant.slug }, 'presets are held: REKINDLE_HOLD_PATCHES');
    else await publishPresetsTo(deps, tenant, presets);
  }
}

const hasSequences = ({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<boolean> =>
  db.withTenant(tenantId, async (tx) => (await tx.select({ id: sequences.id }).from(sequences).limit(1)).length > 0);

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
