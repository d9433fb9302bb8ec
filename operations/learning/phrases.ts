import type { Tx } from '../../db/client.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { type ArmText, type Finding, type Findings, findPhrases, hasPhrase, phrasesToTry } from '../../domain/learning/phrases.ts';
import { fewestTests } from '../../domain/statistics/phrases.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import type { Deps } from '../deps.ts';
import { type ArmCount, channelsOfTests, type NoTexts, readTestedArms, readTextsOfTests, type TestedArms } from './tested-arms.ts';

export interface LearnedPhrases extends Findings {
  channel: Channel;
  /** On which tests compare texts. */
  channels: Channel[];
  /** Tests on this channel whose texts are not compared, by the reason. */
  leftOut: { why: NoTexts | 'unsound'; tests: number }[];
}

/** Which words and phrases texts of a channel do better with, by the tests of variants and of scripts. */
export function readPhrases(deps: Pick<Deps, 'db'>, tenantId: string, channel: Channel): Promise<LearnedPhrases> {
  return deps.db.withTenant(tenantId, async (tx) => phrasesOfTests(tx, await readTestedArms(tx, tenantId), channel));
}

/** The same of tests that were read already. */
export const phrasesOfTests = async (tx: Tx, tests: readonly TestedArms[], channel: Channel): Promise<LearnedPhrases> =>
  (await phrasesOf(tx, tests, channel)).learned;

/** A word or phrase that texts of a channel do better with. */
export interface PhraseToTry extends Finding {
  channel: Channel;
  /** Of the texts that had it, BCP 47. */
  languages: string[];
}

/** On all channels. */
export async function phrasesToTryOfTests(tx: Tx, tests: readonly TestedArms[]): Promise<PhraseToTry[]> {
  // Fewer say nothing about any phrase; most stores have none.
  if (tests.length < fewestTests) return [];
  const found: PhraseToTry[] = [];
  for (const channel of await channelsOfTests(tx)) {
    const { learned, arms } = await phrasesOf(tx, tests, channel);
    for (const finding of phrasesToTry(learned.better)) {
      const having = arms.filter(({ parts, language }) => hasPhrase(parts, language, finding.text));
      found.push({ ...finding, channel, languages: [...new Set(having.map(({ language }) => language))] });
    }
  }
  return found;
}

async function phrasesOf(tx: Tx, tests: readonly TestedArms[], channel: Channel): Promise<{ learned: LearnedPhrases; arms: ArmText[] }> {
  const { texts, without } = await readTextsOfTests(
    tx,
    tests.map(({ experiment }) => experiment),
    channel,
  );
  const withTexts = tests.filter(({ experiment }) => texts.some(({ test }) => test === experiment.id));
  const sound = withTexts.filter(({ experiment, arms }) => experiment.mode === 'test' && isSound(arms, experiment.shares));
  const arms = sound.flatMap(({ experiment, arms: counted }) =>
    counted.flatMap(({ variant, people, converted }) => {
      const text = texts.find((one) => one.test === experiment.id && one.variant === variant);
      return text === undefined ? [] : [{ ...text, people, converted }];
    }),
  );
  const reasons = [...without.map(({ why }) => why), ...withTexts.filter((one) => !sound.includes(one)).map(() => 'unsound' as const)];
  const learned = {
    ...{ ...findPhrases(arms), channel, channels: await channelsOfTests(tx) },
    leftOut: [...new Set(reasons)].toSorted().map((why) => ({ why, tests: reasons.filter((one) => one === why).length })),
  };
  return { learned, arms };
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
