import { channelName, readable } from '../../parts/words.ts';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Data } from '../../../sdk/index.ts';
import { learning } from '../../../sdk/index.ts';
import { Choice } from '../../parts/choice.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatMoney, formatNumber, formatPercent, plain } from '../../parts/format.ts';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { Delays } from './delays.tsx';
import { FunnelPicture } from './funnel-picture.tsx';
import { Hours } from './hours.tsx';
import { Leaderboard } from './leaderboard.tsx';
import { Suggestions } from './suggestions.tsx';
import { Phrases } from './phrases.tsx';
import { within } from './within.ts';

const page = getRouteApi('/$store/learning');
type Overview = Data<'GET /api/learning'>;

/** What the results teach: words, times, channels, and where people are lost. Nothing on this page changes anything by itself. */
export function Learning() {
  const { days, channel, board } = page.useSearch();
  const navigate = page.useNavigate();
  const change = (next: Partial<ReturnType<typeof page.useSearch>>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  const found = useStoreQuery(['learning', days], (api, signal) => learning(api).get({ days: Number(days) }, { signal }), { keep: true });
  return (
    <>
      <PageHeader title="Learning" note="What the results teach. Whatever is not certain says so, and nothing changes by itself.">
        <Choice
          label="Days"
          value={days}
          options={[
            { value: '30', name: '30 days' },
            { value: '90', name: '90 days' },
            { value: '365', name: 'A year' },
          ]}
          onChange={(value) => change({ days: value })}
        />
      </PageHeader>
      <div className="space-y-5">
        <Answer of={found}>
          {(overview) => (
            <>
              <Cards of={overview} />
              <Insights of={overview} />
              <FunnelPicture of={overview} />
            </>
          )}
        </Answer>
        <Phrases channel={channel} onChannel={(value) => change({ channel: value })} />
        <Suggestions />
        <DropOffs days={Number(days)} />
        <Hours />
        <Delays />
        <Leaderboard of={board} days={Number(days)} onChange={(value) => change({ board: value })} />
      </div>
    </>
  );
}

function Cards({ of: { conversions, revenue, channels } }: { of: Overview }) {
  const [best] = channels.data;
  return (
    <Panel title="In short">
      <div className="grid grid-cols-2 gap-x-6 gap-y-4 lg:grid-cols-4">
        <Figure
          name="Conversions"
          value={formatNumber(conversions.converted)}
          note={`of ${formatNumber(conversions.n)} who were in a sequence`}
          means={<p>{conversions.definition}</p>}
        />
        <Figure
          name="Revenue"
          value={
            revenue.amounts.length === 0
              ? '–'
              : revenue.amounts.map(({ currency, net_minor: minor }) => (
                  <span key={currency} className="block">
                    {formatMoney(minor, currency, { cents: false })}
                  </span>
                ))
          }
          means={<p>{revenue.definition}</p>}
        />
        <Figure
          name="Conversion rate"
          value={conversions.rate === null ? '–' : formatPercent(conversions.rate)}
          note={within(conversions.interval)}
          means={<p>{conversions.definition} Beside it: where the true rate lies, 95 times of 100.</p>}
        />
        <Figure
          name="Best channel"
          value={best === undefined ? '–' : channelName(best.name)}
          note={best === undefined ? 'nothing went out yet' : `at least ${formatPercent(best.at_least)}, of ${formatNumber(best.n)} messages`}
          means={<p>{channels.definition} Nobody drew the channel by chance, so this is no proof that it works better.</p>}
        />
      </div>
    </Panel>
  );
}

function Insights({ of: { insights } }: { of: Overview }) {
  return (
    <Panel title="What stands out" flush>
      {insights.length === 0 ? (
        <Empty title="Nothing is certain yet">Sentences appear here once there are enough people, or enough tests, to be sure of something.</Empty>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {insights.map(({ about, sentence, n, interval }) => (
            <li key={sentence} className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 px-4 py-2.5">
              <span className="min-w-0 flex-1 basis-64">{readable(sentence)}</span>
              <span className="text-xs text-soft">{[plain(about), within(interval), `of ${formatNumber(n)}`].filter(Boolean).join(' · ')}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function DropOffs({ days }: { days: number }) {
  const { slug: store } = useStore();
  const found = useStoreQuery(['learning', 'drop-offs', days], (api, signal) => learning(api).dropOffs({ days }, { signal }), { keep: true });
  return (
    <Panel title="Where most are lost" note="In each sequence the step behind which most leave without a conversion, and what to try there." flush>
      <Answer of={found}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No sequence has begun in this time" />
          ) : (
            <ul className="divide-y divide-line border-t border-line">
              {data.map(({ sequence, name, enrolled, largest }) => (
                <li key={sequence} className="px-4 py-2.5">
                  <p className="flex flex-wrap items-baseline justify-between gap-x-4">
                    <Link to="/$store/sequences/$slug" params={{ store, slug: sequence }} className="font-medium hover:underline">
                      {name}
                    </Link>
                    <span className="text-xs text-soft">{enrolled === 1 ? '1 person' : `${formatNumber(enrolled)} people`}</span>
                  </p>
                  {largest === null ? (
                    <p className="text-[0.8125rem] text-soft">Not enough people: no step has had twenty of whom some left.</p>
                  ) : (
                    <p className="text-[0.8125rem]">
                      {`After ${plain(largest.step)}: ${formatPercent(largest.rate)} left (${within(largest.interval)}, ${formatNumber(largest.left)} of ${formatNumber(largest.n)}). `}
                      <span className="text-soft">{readable(largest.advice)}</span>
                    </p>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}
