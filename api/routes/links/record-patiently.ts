import { classifyFailure } from '../../../operations/classify-failure.ts';
import type { Deps } from '../../../operations/deps.ts';
import { type Engagement, recordEngagement } from '../../../operations/record-engagement.ts';

const attempts = 3;

/** Record an open or a click, also while a dispatch or a stop holds the message's row for a moment. */
export async function recordPatiently(deps: Deps, engagement: Engagement): Promise<string | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await recordEngagement(deps, engagement);
    } catch (error) {
      if (attempt === attempts || classifyFailure(error) !== 'busy') throw error;
    }
  }
}
