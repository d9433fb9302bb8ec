import { dueAt, expiryAt, oldestAt, readyAt } from '../sequence/due.ts';
import { nextStep } from '../sequence/next-step.ts';
import type { Plan, Progress } from '../sequence/plan.ts';
import { chooseChannel } from './choose-channel.ts';
import type { Facts, UpcomingRecord } from './facts.ts';

/**
 * What a running enrollment may want to send next: nothing where it has ended, is held, or all its steps are settled.
 * @param channels - how the person can be reached; a step that none of its channels fits stands in line with its first
 */
export function nextStepOf(plan: Plan, progress: Progress, enrollmentId: string, channels: Facts['channels']): UpcomingRecord[] {
  if (progress.stopped !== null || progress.held !== null) return [];
  const step = nextStep(plan, progress);
  if (step === null) return [];
  const choice = chooseChannel({ step: { channels: step.channels, refusals: {}, maxRetries: 0, onFailure: 'skip' }, channels });
  return [
    {
      enrollmentId,
      stepId: step.id,
      step: `${plan.sequence}/${step.id}`,
      channel: choice.kind === 'chosen' ? choice.channel : (step.channels[0] ?? null),
      dueMs: dueAt(plan, progress, step.id),
      readyMs: readyAt(plan, progress, step.id),
      expiryMs: plan.whenCapped === 'wait' ? oldestAt(plan, progress) : expiryAt(plan, progress, step.id),
      priority: plan.priority,
    },
  ];
}
