import type { Data } from '../../../sdk/index.ts';
import { DataList } from '../../parts/data-list.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, formatShare } from '../../parts/format.ts';

type Bin = NonNullable<NonNullable<Data<'GET /api/risk'>['model']>['quality']['reliability']>[number];

/** The sides of the picture and what is left of it for its axes. */
const [width, height, left, bottom] = [360, 260, 44, 34];
const round = 10;

/** What the model foretold across, what came of it up: on the line both are the same. */
export function Reliability({ bins }: { bins: readonly Bin[] }) {
  const highest = Math.max(...bins.map(({ chance, interval }) => Math.max(chance, interval.high)));
  // To the next ten percent.
  const top = Math.min(1, Math.max(0.1, Math.ceil(highest * round) / round));
  const x = (share: number) => left + ((width - left - 8) * share) / top;
  const y = (share: number) => height - bottom - ((height - bottom - 8) * share) / top;
  const most = Math.max(...bins.map(({ examples }) => examples));
  const ticks = [0, top / 2, top];
  return (
    <section
      aria-label="Foretold and what came of it"
      className="mt-5 grid gap-x-8 gap-y-4 border-t border-line pt-4 lg:grid-cols-[minmax(0,24rem)_minmax(0,1fr)]"
    >
      <figure>
        <figcaption className="mb-2 text-[0.8125rem] font-medium">
          <Definition of="Foretold and what came of it">
            <p>
              Accounts that the model had not seen, grouped by the chance that it gave them. A point on the line: as many left as it said. Above it
              more left, below it fewer. The bar through a point is where the true share lies, 95 times of 100; a larger point stands for more
              accounts.
            </p>
          </Definition>
        </figcaption>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          direction="ltr"
          className="block w-full max-w-96 text-[11px]"
          role="img"
          aria-label={sentenceOf(bins)}
        >
          {ticks.map((tick) => (
            <g key={tick} className="fill-soft">
              <line x1={x(0)} x2={x(top)} y1={y(tick)} y2={y(tick)} className="stroke-line" />
              <text x={left - 6} y={y(tick) + 4} textAnchor="end">
                {formatShare(tick)}
              </text>
              <text x={x(tick)} y={height - bottom + 14} textAnchor={tick === top ? 'end' : 'middle'}>
                {formatShare(tick)}
              </text>
            </g>
          ))}
          <text x={x(top / 2)} y={height - 3} textAnchor="middle" className="fill-soft">
            foretold
          </text>
          <text transform={`translate(10 ${y(top / 2)}) rotate(-90)`} textAnchor="middle" className="fill-soft">
            left
          </text>
          <line x1={x(0)} y1={y(0)} x2={x(top)} y2={y(top)} className="stroke-soft" strokeDasharray="4 4" />
          {bins.map(({ from, chance, share, interval, examples }) => (
            <g key={from}>
              <line x1={x(chance)} x2={x(chance)} y1={y(interval.low)} y2={y(interval.high)} className="stroke-accent" strokeWidth="1.5" />
              <circle cx={x(chance)} cy={y(share)} r={2.5 + 2.5 * Math.sqrt(examples / most)} className="fill-accent" />
            </g>
          ))}
        </svg>
      </figure>
      <div className="min-w-0 self-start">
        <DataList
          label="Foretold and what came of it, in figures"
          rows={bins}
          idOf={({ from }) => String(from)}
          columns={[
            { name: 'Chance', cell: ({ from, to }) => (from === to ? formatShare(from) : `${formatShare(from)} to ${formatShare(to)}`) },
            { name: 'Accounts', align: 'end', cell: ({ examples }) => formatNumber(examples) },
            { name: 'Foretold', align: 'end', cell: ({ chance }) => formatShare(chance) },
            { name: 'Left', align: 'end', cell: ({ share }) => formatShare(share) },
            {
              name: 'Certain within',
              align: 'end',
              wide: true,
              cell: ({ interval }) => `${formatShare(interval.low)} to ${formatShare(interval.high)}`,
            },
          ]}
        />
      </div>
    </section>
  );
}

/** How many groups came to what was foretold, within what is certain. */
function sentenceOf(bins: readonly Bin[]): string {
  const right = bins.filter(({ chance, interval }) => interval.low <= chance && chance <= interval.high).length;
  return `In ${formatNumber(right)} of ${formatNumber(bins.length)} groups as many left as foretold, as far as that is certain.`;
}
