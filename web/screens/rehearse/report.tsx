import { channelWord } from '../../parts/words.ts';
import type { Item } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatDay, formatNumber, formatShare, plain, sentenceCase } from '../../parts/format.ts';
import { useSequenceNames } from '../../parts/sequence-names.ts';

type BacktestReport = NonNullable<Item<'GET /api/backtests'>['report']>;

/** What a sequence would have done: volume, collisions with other sequences, and what would have kept it back. */
export function Report({ of }: { of: BacktestReport }) {
  const { messages, enrollments, collisions, suppressed, messaged_after_buying: afterBuying } = of;
  const sequenceName = useSequenceNames();
  const stopped = Object.values(enrollments.stopped).reduce((sum, count) => sum + count, 0);
  return (
    <div className="space-y-5">
      <p className="flex flex-wrap items-center gap-2">
        {afterBuying.people === 0 ? (
          <Badge tone="good">nobody would have got a message after buying</Badge>
        ) : (
          <Badge tone="bad">{formatNumber(afterBuying.people)} would have got a message after buying</Badge>
        )}
      </p>
      <div className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-4">
        <Figure
          name="Messages"
          value={formatNumber(messages.total)}
          note={
            messages.busiest_day === null
              ? undefined
              : `${formatNumber(messages.busiest_day.messages)} on the busiest day, ${formatDay(messages.busiest_day.day)}`
          }
          means={<p>How many would have gone out in these days, after every check.</p>}
        />
        <Figure
          name="Would have begun"
          value={formatNumber(enrollments.begun)}
          note={`${formatNumber(stopped)} stopped, ${formatNumber(enrollments.completed)} came to the end, ${formatNumber(enrollments.held_out)} left out by chance`}
          means={<p>For how many carts or leads it would have begun, and what became of them.</p>}
        />
        <Figure
          name="In another one, too"
          value={formatNumber(collisions.enrollments)}
          note={`${formatNumber(collisions.steps_put_off)} steps put off, ${formatNumber(collisions.steps_capped)} left out`}
          means={<p>People who were in another sequence at the time, and what the limits on how often somebody hears from you did to their steps.</p>}
        />
        <Figure
          name="May not be written to"
          value={formatNumber(suppressed.people)}
          note={formatShare(suppressed.share)}
          means={<p>People whom an opt-out, a complaint or an address that does not exist kept from some of it or all of it.</p>}
        />
      </div>
      <Days of={messages.by_day} />
      <div className="grid gap-5 lg:grid-cols-2">
        <Counts title="By step" name="Step" value="Messages" of={messages.by_step} />
        <Counts title="By way" name="Way" value="Messages" of={messages.by_channel} />
        <Counts title="Put off" name="Because of" value="Times" of={of.deferred} />
        <Counts title="Left out" name="Because of" value="Steps" of={of.skipped} />
        <Counts title="Ended before its last step" name="Because of" value="Carts or leads" of={enrollments.stopped} />
        <Counts title="Never begun" name="Because of" value="Carts or leads" of={of.not_begun} />
        <Counts title="Who was in it meanwhile" name="Other sequence" value="Carts or leads" of={collisions.by_sequence} nameOf={sequenceName} />
      </div>
    </div>
  );
}

/** Messages by day: each bar a day, its parts the ways. */
function Days({ of: rows }: { of: BacktestReport['messages']['by_day'] }) {
  const ways = [...new Set(rows.map(({ channel }) => channel))].toSorted();
  const days = [...new Set(rows.map(({ day }) => day))].toSorted().map((day) => [day, rows.filter((row) => row.day === day)] as const);
  const most = Math.max(1, ...days.map(([, parts]) => parts.reduce((sum, { messages }) => sum + messages, 0)));
  if (days.length === 0) return null;
  return (
    <figure>
      <figcaption className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-[0.8125rem]">
        <span className="font-medium">Messages by day</span>
        {ways.map((way, index) => (
          <span key={way} className="inline-flex items-center gap-1.5 text-soft">
            <span aria-hidden="true" className="size-2.5 rounded-sm" style={{ background: colourOf(index) }} /> {channelWord(way)}
          </span>
        ))}
      </figcaption>
      <svg
        role="img"
        aria-label={`At most ${most} messages a day, from ${formatDay(days[0]?.[0] ?? '')} to ${formatDay(days.at(-1)?.[0] ?? '')}`}
        viewBox={`0 0 ${days.length * 10} 100`}
        preserveAspectRatio="none"
        className="h-28 w-full rounded bg-sunken"
      >
        {days.map(([day, parts], place) => {
          let top = 100;
          return parts.map(({ channel, messages }) => {
            const height = (100 * messages) / most;
            top -= height;
            return (
              <rect key={`${day} ${channel}`} x={place * 10 + 1} width={8} y={top} height={height} fill={colourOf(ways.indexOf(channel))}>
                <title>{`${formatDay(day)}: ${formatNumber(messages)} by ${channelWord(channel)}`}</title>
              </rect>
            );
          });
        })}
      </svg>
      <div className="mt-1 flex justify-between text-xs text-soft">
        <span>{formatDay(days[0]?.[0] ?? '')}</span>
        <span>{formatDay(days.at(-1)?.[0] ?? '')}</span>
      </div>
    </figure>
  );
}

const colourOf = (index: number) => `var(--series-${(index % 6) + 1})`;

function Counts({
  title,
  name,
  value,
  of,
  nameOf = (code) => sentenceCase(plain(code)),
}: {
  title: string;
  name: string;
  value: string;
  of: Record<string, number>;
  nameOf?: (code: string) => string;
}) {
  const rows = Object.entries(of).toSorted(([, a], [, b]) => b - a);
  if (rows.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 text-[0.8125rem] font-medium">{title}</h3>
      <DataList
        label={title}
        rows={rows}
        idOf={([code]) => code}
        columns={[
          { name, cell: ([code]) => nameOf(code) },
          { name: value, align: 'end', cell: ([, count]) => formatNumber(count) },
        ]}
      />
    </section>
  );
}
