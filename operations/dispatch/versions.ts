import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { sequences, sequenceVersions } from '../../db/schema/index.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';

export interface Version {
  slug: string;
  version: number;
  definition: SequenceDefinition;
  /** Compiled texts by name and channel; `content/channels` reads them. */
  content: Record<string, unknown>;
}

/** Published versions never change, so a process keeps the ones that it has read. Bounded: the oldest read goes first. */
export class VersionCache {
  readonly #kept = new Map<string, Version>();
  readonly #most: number;

  constructor(most = 200) {
    this.#most = most;
  }

  async load(tx: Tx, versionId: string): Promise<Version> {
    const known = this.#kept.get(versionId);
    if (known !== undefined) return known;
    const [row] = await tx
      .select({ slug: sequences.slug, version: sequenceVersions.version, definition: sequenceVersions.definition, content: sequenceVersions.content })
      .from(sequenceVersions)
      .innerJoin(sequences, eq(sequences.id, sequenceVersions.sequenceId))
      .where(eq(sequenceVersions.id, versionId));
    if (row === undefined) throw new Error(`sequence version ${versionId} does not exist`);
    if (this.#kept.size >= this.#most) for (const oldest of [...this.#kept.keys()].slice(0, 1)) this.#kept.delete(oldest);
    this.#kept.set(versionId, row);
    return row;
  }
}
