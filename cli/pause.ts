import { enrollmentAction } from './enrollment-action.ts';

export const pause = enrollmentAction('pause', {
  example: 'rekindle pause 01920000-0000-7000-8000-000000000000',
  summary: 'send nothing of one enrollment until it is resumed',
  usage: 'rekindle pause <enrollment id>   no due time moves; rekindle resume lets it go on',
});
