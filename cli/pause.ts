import { enrollmentAction } from './enrollment-action.ts';

export const pause = enrollmentAction('pause', {
  summary: 'send nothing of one enrollment until it is resumed',
  usage: 'rekindle pause <enrollment id>   no due time moves; rekindle resume lets it go on',
});
