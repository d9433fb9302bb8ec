import { parseSequence, readSequence } from '../sequence/parse-sequence.ts';
import { kindOfSequence } from '../sequence/triggers.ts';
import type { SequenceDefinition } from '../sequence/definition.ts';
import { subjectKinds, type SubjectKinds } from '../subjects/index.ts';
import { tenantSettings, type TenantSettings } from '../tenant-settings.ts';
import { type FileError, inOrderOfFile } from '../yaml-file.ts';
import { claimsThatNeverHold } from './claims.ts';
import { conditionsThatNeverHold } from './conditions.ts';
import type { Finding, LintRule } from './finding.ts';
import { missingPostalAddress } from './postal-address.ts';
import { reactionsWithoutEvent } from './reactions-without-event.ts';
import { stepsThatCannotGoOut } from './rehearsed-steps.ts';
import { textsInTheUnitedStates } from './united-states-texts.ts';

/** What is looked for beyond the format. A new rule is one file and one line here: the slow one rehearses a week hour by hour, for half a second. */
const quickRules: readonly LintRule[] = [
  conditionsThatNeverHold,
  claimsThatNeverHold,
  reactionsWithoutEvent,
  textsInTheUnitedStates,
  missingPostalAddress,
];
const rules: readonly LintRule[] = [...quickRules, stepsThatCannotGoOut];

/** A finding with its place in the file. `rule` `format`: the file cannot be used. */
export type LintedLine = FileError & Pick<Finding, 'rule' | 'severity'>;

/**
 * Everything that is wrong with a sequence file, or hardly what was meant, in the order of the file.
 * @param store - the store's own settings, as far as they are known
 */
export function lintSequence(yaml: string, store: Partial<TenantSettings> = {}, kinds: SubjectKinds = subjectKinds): LintedLine[] {
  const parsed = parseSequence(yaml, kinds);
  if (!parsed.ok) return parsed.errors.map((error) => ({ ...error, rule: 'format', severity: 'error' }));
  const { place } = parsed;
  return inOrderOfFile(
    findingsIn(parsed.definition, store, kinds).map((finding) => ({ ...place(finding), rule: finding.rule, severity: finding.severity })),
  );
}

/**
 * The same of what a form says, while somebody types: without the rules that take long. They are asked when it is stored.
 * @param said - what its file would say, as plain data
 */
export function lintWhileTyping(said: unknown, store: Partial<TenantSettings>, kinds: SubjectKinds = subjectKinds): Finding[] {
  const read = readSequence(said, kinds);
  if (read.ok) return findingsIn(read.definition, store, kinds, quickRules);
  return read.mistakes.map((mistake) => ({ ...mistake, rule: 'format', severity: 'error' }));
}

/** The findings about a definition; `path` names the fields of its file. */
function findingsIn(definition: SequenceDefinition, store: Partial<TenantSettings>, kinds: SubjectKinds, asked = rules): Finding[] {
  const kind = kindOfSequence(kinds, definition);
  if (kind === null) return [];
  const known = new Set(Object.keys(store) as (keyof TenantSettings)[]);
  const about = { definition, kind, settings: tenantSettings.parse(store), known };
  return asked.flatMap((rule) => rule(about));
}
