import { formatDayTime, formatExact, formatFromNow } from './format.ts';
import { useNow } from './use-now.ts';

/** A moment, as far away as it is, with its date in full for whoever points at it. */
export function Time({ at, as = 'relative' }: { at: string; as?: 'relative' | 'date' }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={formatExact(at)} className="whitespace-nowrap">
      {as === 'relative' ? formatFromNow(at, nowMs) : formatDayTime(at)}
    </time>
  );
}
