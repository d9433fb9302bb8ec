import { type Row, UsageError } from './command.ts';
import { enrollmentAction, stepOf, stepOption } from './enrollment-action.ts';

export const snooze = enrollmentAction('snooze', {
  example: 'rekindle snooze 01920000-0000-7000-8000-000000000000 --hours 24',
  summary: 'put off what is left of an enrollment',
  usage: `rekindle snooze <enrollment id> --hours N | --until TIME [--step STEP]

--until TIME   with its zone, such as 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00; at most 90 days ahead
--step STEP    only if that is the next step`,
  options: { ...stepOption, hours: { type: 'string' }, until: { type: 'string' } },
  body(options): Row {
    const { hours, until } = options;
    if ((hours === undefined) === (until === undefined)) throw new UsageError('Say --hours or --until.');
    if (until !== undefined) return { until, ...stepOf(options) };
    const number = Number(hours);
    if (!(number > 0)) throw new UsageError(`--hours ${String(hours)} is no number of hours.`);
    return { hours: number, ...stepOf(options) };
  },
});
