import type { Data } from '../../../sdk/index.ts';
import { waves } from '../../../sdk/index.ts';
import { Figure } from '../../parts/figure.tsx';
import { formatClock, formatDuration, formatNumber } from '../../parts/format.ts';
import { meaning } from '../../parts/meaning.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';

export type Waves = Data<'GET /api/waves'>;
interface Bar {
  name: string;
  value: number;
  look: string;
}

/** What is due, what is late, and how fast what is late leaves. */
export function WavesPanel() {
  const found = useStoreQuery(['waves'], (api, signal) => waves(api).get({ signal }), { live: true });
  return (
    <Panel title="The waves" note="What is overdue stands behind now, what is due ahead of it. What is late leaves at a bounded rate.">
      <Answer of={found}>{(data) => <WavesPicture of={data} />}</Answer>
    </Panel>
  );
}

/** `of` is of a store, or of those whom a drill reaches. */
export function WavesPicture({ of: found, label = 'Overdue behind, due ahead' }: { of: Waves; label?: string }) {
  const { behind, ahead, overdue, due_24h: due, held, open, looked_at: lookedAt, catch_up_per_minute: rate, at } = found;
  const startMs = Date.parse(at);
  const bars: Bar[] = [
    ...behind.toReversed().map(({ from_seconds: from, to_seconds: to, steps }) => ({
      name: to === null ? `later than ${formatDuration(from)}` : `up to ${formatDuration(to)} late`,
      value: steps,
      look: 'bg-bad',
    })),
    ...ahead.map(({ from_seconds: from, steps }) => ({ name: `from ${formatClock(startMs + from * 1_000)}`, value: steps, look: 'bg-accent' })),
  ];
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const isSample = lookedAt < open;
  return (
    <>
      <div className="mb-4 grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-4">
        <Figure name="Overdue" value={formatNumber(overdue)} means={<p>Steps whose time has passed and that are not decided yet.</p>} />
        <Figure name="Due in 24 hours" value={formatNumber(due)} means={<p>{meaning.dueSoon}</p>} />
        <Figure name="On hold" value={formatNumber(held)} means={<p>Paused, taken over by somebody, or their sequence or campaign is paused.</p>} />
        <Figure
          name="Release rate"
          value={rate === null ? 'no limit' : `${formatNumber(rate)} / min`}
          means={<p>So many messages that are more than ten minutes late leave in a minute at most. The setting is catchUpPerMinute.</p>}
        />
      </div>
      {isSample && (
        <p className="mb-2 text-xs text-soft">{`Estimated from ${formatNumber(lookedAt)} of ${formatNumber(open)} people, drawn by chance.`}</p>
      )}
      <Bars label={label} bars={bars} most={most} marks={['late', 'now', 'in 24 h']} breakAt={behind.length} />
      <Released of={found} />
    </>
  );
}

/** Columns beside each other, read out as a table. */
function Bars({
  label,
  bars,
  most,
  marks,
  breakAt,
}: {
  label: string;
  bars: readonly Bar[];
  most: number;
  marks: readonly [string, string, string];
  breakAt: number;
}) {
  return (
    <div role="region" aria-label={label} tabIndex={0} className="relative overflow-x-auto">
      <table className="sr-only">
        <caption>{label}</caption>
        <tbody>
          {bars.map(({ name, value }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatNumber(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div aria-hidden="true" className="flex h-28 min-w-96 items-end gap-0.5">
        {bars.map(({ name, value, look }, index) => (
          <div
            key={name}
            title={`${name}: ${formatNumber(value)}`}
            className={`flex h-full flex-1 items-end ${index === breakAt ? 'border-s-2 border-line-strong ps-0.5' : ''}`}
          >
            <div
              className={`w-full rounded-t-[2px] ${value === 0 ? 'bg-line' : look}`}
              style={{ height: `${Math.max(1.5, (100 * value) / most)}%` }}
            />
          </div>
        ))}
      </div>
      <div aria-hidden="true" className="flex min-w-96 text-xs text-soft">
        <span style={{ width: `${(100 * breakAt) / bars.length}%` }}>{marks[0]}</span>
        <span className="flex-1">{marks[1]}</span>
        <span>{marks[2]}</span>
      </div>
    </div>
  );
}

const minutesShown = 60;

function Released({ of: { sent, at, catch_up_per_minute: rate } }: { of: Waves }) {
  const endMs = Math.floor(Date.parse(at) / 60_000) * 60_000;
  const byMinute = new Map(sent.map((minute) => [Date.parse(minute.at), minute]));
  const minutes = Array.from({ length: minutesShown }, (_, index) => {
    const atMs = endMs - (minutesShown - 1 - index) * 60_000;
    const found = byMinute.get(atMs);
    return { atMs, late: found?.late ?? 0, onTime: found?.on_time ?? 0 };
  });
  const highest = Math.max(0, ...minutes.map(({ late, onTime }) => late + onTime));
  const latest = Math.max(0, ...minutes.map(({ late }) => late));
  if (highest === 0) return <p className="mt-3 text-[0.8125rem] text-soft">Nothing left in the last hour.</p>;
  // The limit is drawn where it is near what left; else it would press the columns flat.
  const shown = rate !== null && rate <= highest * 3 ? rate : null;
  const most = Math.max(highest, shown ?? 0);
  return (
    <div className="mt-4">
      <p className="mb-1 text-[0.8125rem]">
        {`Left in the last hour, by minute: the busiest took ${formatNumber(highest)}, of late ones ${formatNumber(latest)}`}
        {rate !== null && <span className={latest > rate ? 'text-bad' : 'text-soft'}>{`, of at most ${formatNumber(rate)}`}</span>}.
      </p>
      <div aria-hidden="true" className="relative flex h-20 items-end gap-px">
        {shown !== null && <span className="absolute inset-x-0 border-t border-dashed border-bad" style={{ bottom: `${(100 * shown) / most}%` }} />}
        {minutes.map(({ atMs, late, onTime }) => (
          <div key={atMs} className="flex h-full flex-1 flex-col justify-end" title={`${formatClock(atMs)}: ${onTime} on time, ${late} late`}>
            <div className="bg-bad" style={{ height: `${(100 * late) / most}%` }} />
            <div className="bg-accent" style={{ height: `${(100 * onTime) / most}%` }} />
          </div>
        ))}
      </div>
    </div>
  );
}
