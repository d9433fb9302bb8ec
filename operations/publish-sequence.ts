import { createHash } from 'node:crypto';
import { and, desc, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { compileEmail } from '../content/compile-email.ts';
import type { EmailSource } from '../content/email-copy.ts';
import { sequences, sequenceVersions } from '../db/schema/index.ts';
import type { CompiledEmail } from '../domain/compiled-email.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { describeSequenceErrors, parseSequence } from '../domain/sequence/parse-sequence.ts';
import type { Deps } from './deps.ts';

/** A sequence as it lies in files: the YAML and its copy. */
export interface PresetSource {
  /** For messages, e.g. `sequences/cart.yaml`. */
  file: string;
  yaml: string;
  copy: Record<string, EmailSource>;
}

/** A preset that was read, checked and compiled; made once, published to any number of tenants. */
export interface CompiledPreset {
  definition: SequenceDefinition;
  content: Record<string, CompiledEmail>;
  sourceHash: string;
}

/** Thrown when a sequence file cannot be used. The message names every mistake with its line. */
export class PresetError extends Error {
  readonly code = 'preset_invalid';
  constructor(message: string) {
    super(message);
    this.name = 'PresetError';
  }
}

/** @throws PresetError, or the content's error that names file and line */
export async function compilePreset(source: PresetSource): Promise<CompiledPreset> {
  const parsed = parseSequence(source.yaml);
  if (!parsed.ok) throw new PresetError(describeSequenceErrors(source.file, parsed.errors));
  const { definition } = parsed;
  const content: Record<string, CompiledEmail> = {};
  for (const step of definition.steps) {
    if (!step.channels.includes('email') || step.content === null) continue;
    const copy = source.copy[step.content];
    if (copy === undefined) {
      throw new PresetError(
        `${source.file}: step ${step.id} names the copy "${step.content}", which does not exist. Known are: ${Object.keys(source.copy).join(', ')}.`,
      );
    }
    content[step.content] = await compileEmail(copy);
  }
  const sourceHash = createHash('sha256').update(JSON.stringify({ definition, content })).digest('hex');
  return { definition, content, sourceHash };
}

/**
 * Make a preset the tenant's current version. Unchanged: nothing happens. Running enrollments stay on the version they started with.
 * @returns the version that new enrollments get from now on
 */
export async function publishPreset(deps: Pick<Deps, 'db'>, tenantId: string, preset: CompiledPreset): Promise<number> {
  const { definition, content, sourceHash } = preset;
  return deps.db.withTenant(tenantId, async (tx) => {
    await tx
      .insert(sequences)
      .values({ tenantId, id: uuidv7(), slug: definition.sequence, name: definition.name, status: 'ACTIVE' })
      .onConflictDoNothing();
    const [sequence] = await tx.select().from(sequences).where(eq(sequences.slug, definition.sequence)).for('no key update');
    if (sequence === undefined) throw new Error('a sequence vanished under its lock');
    const [latest] = await tx
      .select({ id: sequenceVersions.id, version: sequenceVersions.version, sourceHash: sequenceVersions.sourceHash })
      .from(sequenceVersions)
      .where(and(eq(sequenceVersions.sequenceId, sequence.id)))
      .orderBy(desc(sequenceVersions.version))
      .limit(1);
    if (latest?.sourceHash === sourceHash && sequence.currentVersionId === latest.id) return latest.version;
    const version = (latest?.version ?? 0) + 1;
    const id = uuidv7();
    await tx.insert(sequenceVersions).values({ tenantId, id, sequenceId: sequence.id, version, definition, content, sourceHash });
    await tx.update(sequences).set({ currentVersionId: id, name: definition.name }).where(eq(sequences.id, sequence.id));
    return version;
  });
}
