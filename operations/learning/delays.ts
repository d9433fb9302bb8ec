import type { Tx } from '../../db/client.ts';
import { compareDelays, type DelayAnalysis, delaySuggestion } from '../../domain/learning/delays.ts';
import type { StepVariant } from '../../domain/sequence/definition.ts';
import type { Deps } from '../deps.ts';
import { readTestedArms, readTestedSteps, type TestedArms } from './tested-arms.ts';

/** A test that compared delays of a step, alone. */
export interface DelayTest {
  experiment: string;
  sequence: string;
  step: string;
  status: 'RUNNING' | 'DECIDED' | 'STOPPED';
  startedAtMs: number;
  endedAtMs: number | null;
  /** What the delays count from. */
  from: 'anchor' | 'previous' | 'event';
  analysis: DelayAnalysis;
  suggestion: string | null;
}

const allButTheDelay = ({ content, channels, model, offer }: StepVariant) =>
  JSON.stringify([content, channels ?? null, model?.brief ?? null, offer ?? null]);

/** Delays that were compared by chance. Tests in which texts, channels or offers differed, too, say nothing about delays and are not among them. The latest first. */
export function readDelays(deps: Pick<Deps, 'db'>, tenantId: string): Promise<DelayTest[]> {
  return deps.db.withTenant(tenantId, async (tx) => delaysOfTests(tx, await readTestedArms(tx, tenantId)));
}

/** The same of tests that were read already. */
export async function delaysOfTests(tx: Tx, tests: readonly TestedArms[]): Promise<DelayTest[]> {
  const steps = await readTestedSteps(
    tx,
    tests.map(({ experiment }) => experiment),
  );
  return tests
    .flatMap(({ experiment, sequence, arms }): DelayTest[] => {
      const versions = steps.get(experiment.id) ?? [];
      const latest = versions.at(-1);
      // A bandit's people are not spread over its arms by fixed shares: who came late is more often in one of them.
      if (latest === undefined || sequence === null || experiment.stepId === null || experiment.mode === 'bandit') return [];
      const delaysOf = ({ step, variants }: typeof latest) =>
        variants.map(({ id, laterMs = 0 }) => [id, step.due.delayMs + laterMs] as const).toSorted(([a], [b]) => a.localeCompare(b));
      const same = JSON.stringify(delaysOf(latest));
      const isAboutDelays =
        versions.every((one) => JSON.stringify(delaysOf(one)) === same && new Set(one.variants.map(allButTheDelay)).size === 1) &&
        new Set(delaysOf(latest).map(([, delayMs]) => delayMs)).size > 1;
      if (!isAboutDelays) return [];
      const delays = new Map(delaysOf(latest));
      const analysis = compareDelays(
        arms.map(({ variant, assigned, people, converted }) => ({
          ...{ id: variant, assigned, people, converted },
          ...{ delayMs: delays.get(variant) ?? 0, share: experiment.shares[variant] ?? 0 },
        })),
      );
      const { id, stepId, status, startedAt, endedAt } = experiment;
      return [
        {
          ...{ experiment: id, sequence, step: stepId, status, startedAtMs: startedAt, endedAtMs: endedAt },
          ...{ from: latest.step.due.from, analysis, suggestion: delaySuggestion(sequence, stepId, analysis) },
        },
      ];
    })
    .toReversed();
}
