import type { Data } from '../../../sdk/index.ts';
import { formatDay, formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { seriesColours } from '../../parts/series.ts';

export type Summary = Data<'GET /api/explain/summary'>;
export type Row = Summary['rows'][number];

/** A bar for each day, made of its reasons; a piece, or its name, chooses the reason. */
export function DayBars({ rows, chosen, onChoose }: { rows: readonly Row[]; chosen: string; onChoose: (reason: string) => void }) {
  const totals = new Map<string, number>();
  for (const { reason, count } of rows) totals.set(reason, (totals.get(reason) ?? 0) + count);
  const reasons = [...totals].toSorted(([, a], [, b]) => b - a).map(([reason]) => reason);
  // What has no colour of its own shares the last one.
  const colourOf = (reason: string) => seriesColours[Math.min(reasons.indexOf(reason), seriesColours.length - 1)] ?? '';
  const days = [...new Set(rows.map(({ day }) => day))].toSorted();
  const perDay = days.map((day) => {
    const pieces = new Map<string, number>();
    for (const row of rows) if (row.day === day) pieces.set(row.reason, (pieces.get(row.reason) ?? 0) + row.count);
    return { day, pieces, total: [...pieces.values()].reduce((sum, count) => sum + count, 0) };
  });
  const highest = Math.max(1, ...perDay.map(({ total }) => total));
  return (
    <div>
      <div className="flex items-end gap-1 overflow-x-auto pb-1" role="group" aria-label="Days">
        {perDay.map(({ day, pieces, total }) => (
          <div key={day} className="flex min-w-9 flex-1 flex-col items-center gap-1">
            <span className="text-xs text-soft">{formatNumber(total)}</span>
            <div className="flex h-40 w-full max-w-16 flex-col justify-end gap-px">
              {reasons
                .filter((reason) => pieces.has(reason))
                .toReversed()
                .map((reason) => (
                  <button
                    key={reason}
                    type="button"
                    aria-pressed={reason === chosen}
                    aria-label={`${formatDay(day)}: ${plain(reason)}, ${pieces.get(reason) ?? 0}`}
                    title={`${sentenceCase(plain(reason))}: ${formatNumber(pieces.get(reason) ?? 0)}`}
                    onClick={() => onChoose(reason)}
                    className={`min-h-1 w-full rounded-[2px] ${colourOf(reason)} ${chosen !== '' && reason !== chosen ? 'opacity-35' : ''}`}
                    style={{ height: `${(100 * (pieces.get(reason) ?? 0)) / highest}%` }}
                  />
                ))}
            </div>
            <span className="text-xs whitespace-nowrap text-soft">{formatDay(day)}</span>
          </div>
        ))}
      </div>
      <ul className="mt-3 flex flex-wrap gap-x-4 gap-y-1.5" aria-label="Reasons">
        {reasons.slice(0, 12).map((reason) => (
          <li key={reason}>
            <button
              type="button"
              aria-pressed={reason === chosen}
              onClick={() => onChoose(reason)}
              className="flex items-center gap-1.5 rounded text-[0.8125rem] text-soft hover:text-ink aria-pressed:font-medium aria-pressed:text-ink pointer-coarse:min-h-10"
            >
              <span aria-hidden="true" className={`size-2.5 rounded-[2px] ${colourOf(reason)}`} />
              {plain(reason)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
