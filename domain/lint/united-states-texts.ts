import { formatDuration } from '../sequence/duration.ts';
import { plannedOffsetsMs } from '../sequence/definition.ts';
import type { Finding, LintRule } from './finding.ts';

/**
 * Carriers in the United States accept a limited number of texts about a cart, for a limited time (`SubjectKind.textsInUnitedStates`).
 * Nobody knows a number's country before it is texted, so every text counts; where the store is known to be in the United States, it is an error.
 */
export const textsInTheUnitedStates: LintRule = ({ definition, kind, settings, known }) => {
  const rule = kind.textsInUnitedStates;
  if (rule === null) return [];
  if (known.has('country') && settings.country !== 'US') return [];
  const severity = known.has('country') ? 'error' : 'warning';
  const { noun } = kind.words;
  const limit = `carriers in the United States accept ${rule.most === 1 ? 'one text' : `${rule.most} texts`} about a ${noun}, within ${formatDuration(rule.withinMs)} after it was left`;
  const offsetsMs = plannedOffsetsMs(definition.steps);
  let texts = 0;
  return definition.steps.flatMap(({ channels }, index): Finding[] => {
    if (!channels.includes('sms')) return [];
    texts += 1;
    const path = ['steps', index, 'channel'];
    if (texts > rule.most) return [{ rule: 'us_texts', severity, path, message: `is one text too many: ${limit}. Take another channel` }];
    if ((offsetsMs[index] ?? 0) < rule.withinMs) return [];
    return [{ rule: 'us_texts', severity, path, message: `sends a text too late: ${limit}. Move the step, or take another channel` }];
  });
};
