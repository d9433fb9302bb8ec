import type { SequenceDefinition } from '../domain/sequence/definition.ts';

/** A preset that was read, checked and compiled; made once, published to any number of tenants. */
export interface CompiledPreset {
  definition: SequenceDefinition;
  content: Record<string, unknown>;
  sourceHash: string;
  /** What the linter reads; absent: it was not read from a file. */
  source?: { file: string; yaml: string };
}
