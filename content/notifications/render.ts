import { LiquidError } from 'liquidjs';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { cachingRenderer, textEngine } from '../liquid.ts';
import { lintLiquid } from '../lint-liquid.ts';
import { singleLine } from '../plain-text.ts';
import type { NotificationText } from './usual.ts';
import { notificationView, type NotificationView } from './view.ts';

/** As it is read: plain text, paragraphs with an empty line between them. */
export interface RenderedNotification {
  subject: string | null;
  body: string;
}

/** What is wrong with a template. `line` counts from 1. */
export interface TemplateFault {
  part: 'subject' | 'body';
  line: number | null;
  message: string;
}

const render = cachingRenderer(textEngine);
/** Characters of what a template makes: of a text message three parts or so, of others what a person reads at one go. */
const mostRendered: Readonly<Record<NotificationChannel, number>> = { email: 20_000, sms: 420, telegram: 3_500, slack: 3_500, webhook: 20_000 };

/** @throws liquidjs's errors, which `faultsOfTemplate` has found before a template was stored */
export function renderNotification(channel: NotificationChannel, { subject, body }: NotificationText, view: NotificationView): RenderedNotification {
  return {
    subject: subject === null ? null : singleLine(render(subject, view)).slice(0, 200),
    body: shorten(tidy(render(body, view)), mostRendered[channel]),
  };
}

/** Tags leave empty lines behind: at most one stays, and none between the items of a list. */
function tidy(text: string): string {
  return text
    .replace(/[^\S\n]+$/gm, '')
    .replace(/\n{2,}(?=- )/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

const shorten = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`);

/** Everything that is wrong with a template, so that none fails when a task is waiting. */
export function faultsOfTemplate(channel: NotificationChannel, { subject, body }: NotificationText): TemplateFault[] {
  const faults: TemplateFault[] = [];
  if (channel === 'email' && (subject === null || subject.trim() === ''))
    faults.push({ part: 'subject', line: null, message: 'is missing: an email has one' });
  if (channel !== 'email' && subject !== null)
    faults.push({ part: 'subject', line: null, message: `has no place in a notification by ${channel}: leave it out` });
  const views = [sampleView, bareView];
  for (const [part, liquid] of [
    ['subject', subject],
    ['body', body],
  ] as const) {
    if (liquid === null) continue;
    for (const { line, message } of lintLiquid(textEngine, part, { liquid, line: 1 }, views)) faults.push({ part, line, message });
  }
  if (faults.length > 0) return faults;
  for (const view of views) {
    const made = render(body, view).trim();
    if (made === '') return [{ part: 'body', line: null, message: 'says nothing where little is known of the person: write what holds always' }];
    if (made.length > mostRendered[channel])
      return [
        {
          part: 'body',
          line: null,
          message: `becomes ${made.length} characters long with the sample, where ${channel} has room for ${mostRendered[channel]}`,
        },
      ];
  }
  return [];
}

/** A template that was stored and cannot be rendered: the usual text goes out in its place. */
export const isTemplateFault = (error: unknown): boolean =>
  error instanceof LiquidError || (error instanceof Error && /limit exceeded/.test(error.message));

const sampleMs = Date.UTC(2026, 2, 2, 9, 0);

/** Somebody who does not exist, of whom everything is known. */
export const sampleView: NotificationView = notificationView({
  ...{ kind: 'escalation', cause: 'opened', owner: 'Mia Example', late: [], dueAtMs: sampleMs + 3_600_000, nowMs: sampleMs },
  recommendation: 'Take this over or give it to a senior colleague, and decide what is offered.',
  data: {
    note: 'The last parcel came late.',
    risk: {
      band: 'critical',
      says: 'The chance of no purchase within 60 days is 87%, calibrated on outcomes.',
      factors: [
        { features: ['daysSinceOrder'], weight: 1.2 },
        { features: ['opens'], weight: -0.3 },
      ],
    },
    tried: [{ channel: 'email', step: 'offer', sequence: 'churn-active', state: 'sent', at: new Date(sampleMs - 86_400_000).toISOString() }],
  },
  person: { name: 'Kim Sample', email: 'kim@example.com', phone: '+12025550143' },
  history: [{ atMs: sampleMs - 2 * 86_400_000, sentence: 'Opened the email “We miss you”.' }],
  store: { name: 'Sample Store', timeZone: 'UTC', locale: 'en' },
});

/** Somebody of whom nothing is known. */
const bareView: NotificationView = notificationView({
  ...{ kind: 'question', cause: 'assigned', owner: null, late: [], dueAtMs: sampleMs, nowMs: sampleMs, recommendation: null, data: {} },
  ...{ person: { name: null, email: null, phone: null }, history: [], store: { name: 'Sample Store', timeZone: 'UTC', locale: 'en' } },
});
