import { judgeModel, splitByTime, trainRisk } from '../../domain/risk/train.ts';
import type { Learned, Lesson } from './learn.ts';

/** Learn in this thread, which is busy meanwhile. */
export function learn({ examples, champion }: Lesson): Learned {
  const training = trainRisk(examples);
  if (!training.trained || champion === null) return { training, championQuality: null };
  return { training, championQuality: judgeModel(champion, splitByTime(examples).newest) };
}
