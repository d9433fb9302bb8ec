import type { BuiltDeps } from '../../operations/create-deps.ts';
import { loadPresets } from '../../operations/publish-presets.ts';
import { type CompiledPreset, publishPreset } from '../../operations/publish-sequence.ts';
import type { BenchTenant } from '../recovery.ts';
import { openTenant } from '../shop.ts';

/** The cart sequence that comes with the product, as the processes publish it when they start. */
export async function cartPreset(): Promise<CompiledPreset> {
  const found = (await loadPresets()).find((preset) => preset.definition.sequence === 'cart');
  if (found === undefined) throw new Error('there is no cart preset');
  return found;
}

/** A tenant with one sequence. Made when API and workers run: a process publishes the presets to every tenant that it finds at its start. */
export async function tenantWith(deps: BuiltDeps, slug: string, timeScale: number, preset: CompiledPreset): Promise<BenchTenant> {
  const tenant = await openTenant(deps, slug, timeScale);
  await publishPreset(deps, tenant.tenantId, preset);
  return { ...tenant, slug };
}
