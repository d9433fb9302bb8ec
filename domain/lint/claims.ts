import type { Finding, LintRule } from './finding.ts';

/** A step whose point is something that nobody can claim about what its sequence is about. */
export const claimsThatNeverHold: LintRule = ({ definition, kind }) =>
  definition.steps.flatMap(({ requires }, index): Finding[] => {
    const possible = kind.claimable?.claims ?? [];
    if (requires === undefined || possible.includes(requires.claim)) return [];
    const instead = possible.length === 0 ? 'remove it' : `write one of ${possible.join(', ')}`;
    const message = `never holds: nobody states \`${requires.claim}\` about a ${kind.words.noun}. The step is never sent: ${instead}`;
    return [{ rule: 'unreachable', severity: 'warning', path: ['steps', index, 'requires'], message }];
  });
