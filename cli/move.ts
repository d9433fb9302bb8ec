import { enrollmentAction, stepOf, stepOption } from './enrollment-action.ts';

export const move = enrollmentAction('move', {
  example: 'rekindle move 01920000-0000-7000-8000-000000000000 --step email_72h',
  summary: 'move an enrollment to another version of its sequence, or forward to a step',
  usage: `rekindle move <enrollment id> [--to-version N] [--step STEP]

--to-version N   a version of its sequence; default: the one in use
--step STEP      the step that comes next from then on; what lies before it is left out`,
  options: { ...stepOption, 'to-version': { type: 'string' } },
  body: (options) => ({ ...stepOf(options), ...(options['to-version'] === undefined ? {} : { version: Number(options['to-version']) }) }),
});
