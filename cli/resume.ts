import { enrollmentAction } from './enrollment-action.ts';

export const resume = enrollmentAction('resume', {
  summary: 'let a paused enrollment go on',
  usage: 'rekindle resume <enrollment id>   what is too old by then is skipped',
});
