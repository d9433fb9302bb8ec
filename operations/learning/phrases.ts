import { eq } from 'drizzle-orm';
import { tenants } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { type Findings, findPhrases } from '../../domain/learning/phrases.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import type { Deps } from '../deps.ts';
import { type ArmCount, channelsOfTests, type NoTexts, readTestedArms, readTextsOfTests } from './tested-arms.ts';

export interface LearnedPhrases extends Findings {
  channel: Channel;
  /** On which tests compare texts. */
  channels: Channel[];
  /** Tests on this channel whose texts are not compared, by the reason. */
  leftOut: { why: NoTexts | 'unsound'; tests: number }[];
}

/** Which words and phrases texts of a channel do better with, by the tests of variants and of scripts. */
export function readPhrases(deps: Pick<Deps, 'db'>, tenantId: string, channel: Channel): Promise<LearnedPhrases> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ timeScale: tenants.timeScale }).from(tenants).where(eq(tenants.id, tenantId));
    const tests = await readTestedArms(tx, tenant?.timeScale ?? 1);
    const { texts, without } = await readTextsOfTests(
      tx,
      tests.map(({ experiment }) => experiment),
      channel,
    );
    const withTexts = tests.filter(({ experiment }) => texts.some(({ test }) => test === experiment.id));
    const sound = withTexts.filter(({ experiment, arms }) => experiment.mode === 'test' && isSound(arms, experiment.shares));
    const findings = findPhrases(
      sound.flatMap(({ experiment, arms }) =>
        arms.flatMap(({ variant, people, converted }) => {
          const text = texts.find((one) => one.test === experiment.id && one.variant === variant);
          return text === undefined ? [] : [{ ...text, people, converted }];
        }),
      ),
    );
    const reasons = [...without.map(({ why }) => why), ...withTexts.filter((one) => !sound.includes(one)).map(() => 'unsound' as const)];
    return {
      ...{ ...findings, channel, channels: await channelsOfTests(tx) },
      leftOut: [...new Set(reasons)].toSorted().map((why) => ({ why, tests: reasons.filter((one) => one === why).length })),
    };
  });
}

/** Whether the arms hold as many people as they should. */
function isSound(arms: readonly ArmCount[], shares: Readonly<Record<string, number>>): boolean {
  const assigned = arms.reduce((sum, arm) => sum + arm.assigned, 0);
  const ratio = sampleRatio(
    arms.map((arm) => arm.assigned),
    arms.map(({ variant }) => assigned * (shares[variant] ?? 0)),
  );
  return ratio === null || !ratio.mismatch;
}
