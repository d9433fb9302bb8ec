import { decideDispatch } from '../../../domain/gates/decide-dispatch.ts';
import type { ChannelFacts, ContactRecord, Facts, SendRecord, UpcomingRecord } from '../../../domain/gates/facts.ts';
import type { GateCheck, Verdict } from '../../../domain/gates/verdict.ts';
import { plainSettings } from '../../../domain/rehearsal/world.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition } from '../../../domain/sequence/definition.ts';
import type { Progress } from '../../../domain/sequence/plan.ts';
import { newEnrollment, progressOf } from '../../../domain/sequence/progress.ts';
import type { TenantSettings } from '../../../domain/tenant-settings.ts';
import type { DailyWindow } from '../../../domain/time/quiet-hours.ts';
import { anEmail, aSequence, ms } from '../../helpers/sequence-dsl.ts';

export const anchorMs = Date.parse('2026-03-10T10:00Z');
export const usable: ChannelFacts = {
  connected: true,
  hasAddress: true,
  suppressed: false,
  consent: 'unknown',
  requiresConsent: false,
  refused: false,
};

/** What differs from a step that would be sent. */
export interface Differences {
  sequence?: SequenceDefinition;
  timeScale?: number;
  stepId?: string;
  progress?: Partial<Progress>;
  step?: Partial<Facts['step']>;
  enrollment?: Partial<Facts['enrollment']>;
  subject?: Partial<Facts['subject']>;
  attributes?: Facts['attributes'];
  holdout?: Facts['holdout'];
  contact?: Partial<ContactRecord>;
  zones?: Partial<Facts['person']['zones']>;
  /** Newest first. */
  sends?: (Omit<SendRecord, 'step'> & { step?: string })[];
  upcoming?: UpcomingRecord[];
  caps?: TenantSettings['caps'];
  settings?: Partial<TenantSettings>;

  channels?: Facts['channels'];
  messages?: Facts['messages'];
  quietHours?: DailyWindow;
  /** After the anchor; the step is due after an hour. */
  after?: string;
}

/** Decide the dispatch of an email that was due an hour after the anchor, in an activated enrollment. */
export function decide(differences: Differences = {}): Verdict {
  return decideDispatch(factsWith(differences), anchorMs + ms(differences.after ?? '1h') / (differences.timeScale ?? 1));
}

/** The facts of that dispatch. */
export function factsWith(differences: Differences = {}): Facts {
  const timeScale = differences.timeScale ?? 1;
  const sequence = differences.sequence ?? aSequence({ steps: [anEmail({ at: '1h' }), anEmail({ id: 'later', at: '24h' })] });
  const step = sequence.steps.find(({ id }) => id === (differences.stepId ?? sequence.steps[0]?.id));
  if (step === undefined) throw new Error('no such step');
  return {
    plan: compilePlan(sequence, 1, timeScale),
    progress: { ...progressOf(newEnrollment(anchorMs, timeScale), []), activatedAtMs: anchorMs + ms('1h') / timeScale, ...differences.progress },
    step: {
      id: step.id,
      when: step.when,
      channels: step.channels,
      refusals: {},
      maxRetries: step.maxRetries,
      onFailure: step.onFailure ?? 'skip',
      window: step.window ?? null,
      failures: 0,
      ...differences.step,
    },
    enrollment: { id: 'this', ended: null, ...differences.enrollment },
    subject: {
      boughtBy: 'key',
      state: 'open',
      lastActivityMs: anchorMs,
      valueMinor: 12_990,
      currency: 'EUR',
      segment: 'RETURNING',
      modifiers: ['LOW_STOCK'],
      stock: [],
      ...differences.subject,
    },
    attributes: differences.attributes ?? {},
    person: {
      contacts: [{ lifecycle: 'IN_PROGRESS', lastOrderMs: null, lastReplyMs: null, lastSeenMs: null, ...differences.contact }],
      sends: (differences.sends ?? []).map((send) => ({ step: 'other/email', ...send })),
      upcoming: differences.upcoming ?? [],
      zones: { timeZones: ['UTC'], basis: 'stated', country: null, place: { country: null, region: null }, ...differences.zones },
    },
    ...(sequence.only === undefined ? {} : { sequence: { paused: false, exit: null, only: sequence.only } }),
    holdout: differences.holdout ?? null,
    channels: differences.channels ?? { email: usable },
    messages: differences.messages ?? {},
    settings: { ...plainSettings, quietHours: differences.quietHours ?? null, caps: differences.caps ?? plainSettings.caps, ...differences.settings },
  };
}

/** What one gate said. */
export function checkOf(verdict: Verdict, gate: string): GateCheck {
  const check = verdict.checks.find((candidate) => candidate.gate === gate);
  if (check === undefined) throw new Error(`${gate} was not asked`);
  return check;
}
