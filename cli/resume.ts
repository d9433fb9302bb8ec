import { enrollmentAction } from './enrollment-action.ts';

export const resume = enrollmentAction('resume', {
  example: 'rekindle resume 01920000-0000-7000-8000-000000000000',
  summary: 'let a paused enrollment go on',
  usage: 'rekindle resume <enrollment id>   what is too old by then is skipped',
});
