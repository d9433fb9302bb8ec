import type { SequenceDefinition } from '../sequence/definition.ts';
import type { AnySubjectKind } from '../subjects/index.ts';
import type { TenantSettings } from '../tenant-settings.ts';
import type { Mistake } from '../yaml-file.ts';

/** Something that a sequence of the right format is better without. */
export interface Finding extends Mistake {
  rule: string;
  /** `error`: a law or a provider forbids it. `warning`: it is allowed, and hardly what was meant. */
  severity: 'error' | 'warning';
}

/** What a rule of the linter is asked about. */
export interface Linted {
  definition: SequenceDefinition;
  kind: AnySubjectKind;
  /** Of the store for which the sequence is meant; what is not known of it has its default. */
  settings: TenantSettings;
  /** The settings that are known to be the store's own. */
  known: ReadonlySet<keyof TenantSettings>;
}

/** A rule of the linter. Its findings name the file's fields: a definition keeps the steps in the file's order. */
export type LintRule = (about: Linted) => Finding[];
