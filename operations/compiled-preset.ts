import type { SequenceDefinition } from '../domain/sequence/definition.ts';

/** A preset that was read, checked and compiled; made once, published to any number of tenants. */
export interface CompiledPreset {
  definition: SequenceDefinition;
  content: Record<string, unknown>;
  sourceHash: string;
  /** The texts that its source brought, as they were written, by the names of `content`; absent: none. */
  copy?: Record<string, string>;
  /** What the linter reads; absent: it was not read from a file. */
  source?: { file: string; yaml: string };
}
