import { enrollmentAction, stepOf, stepOption } from './enrollment-action.ts';

export const sendNow = enrollmentAction('sendNow', {
  example: 'rekindle send-now 01920000-0000-7000-8000-000000000000',
  summary: 'make the next step of an enrollment due now',
  usage: `rekindle send-now <enrollment id> [--step STEP]

Every gate still holds: quiet hours, caps and consent may put it off, and the answer says which one did.
--step STEP   only if that is the next step`,
  options: stepOption,
  body: stepOf,
});
