import { enrollmentAction, stepOf, stepOption } from './enrollment-action.ts';

export const skip = enrollmentAction('skip', {
  example: 'rekindle skip 01920000-0000-7000-8000-000000000000 --step email_24h',
  summary: 'leave out the next step of an enrollment',
  usage: `rekindle skip <enrollment id> [--step STEP]

--step STEP   only if that is the next step: one that has gone out meanwhile is not mistaken for the one after it`,
  options: stepOption,
  body: stepOf,
});
