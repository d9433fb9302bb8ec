import { Link } from '@tanstack/react-router';
import type { Data } from '../../../sdk/index.ts';
import { learning } from '../../../sdk/index.ts';
import { Definition } from '../../parts/figure.tsx';
import { formatDuration, formatNumber, formatPercent, plain } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { within } from './within.ts';

type DelayTest = Data<'GET /api/learning/delays'>['data'][number];

/** Delays of steps that were drawn by chance, and what they suggest. */
export function Delays() {
  const found = useStoreQuery(['learning', 'delays'], (api, signal) => learning(api).delays({ signal }));
  return (
    <Panel
      title="When to write"
      note={
        found.data === undefined ? undefined : (
          <Definition of="Delays that were drawn by chance">
            <p>{found.data.definition}</p>
          </Definition>
        )
      }
      flush
    >
      <Answer of={found}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No delays are compared">
              Give the variants of a step different times, and each person is written to at one of them by chance. Who is written to late has not
              bought until then, so times that were not drawn by chance cannot be compared.
            </Empty>
          ) : (
            <ul className="divide-y divide-line border-t border-line">
              {data.map((test) => (
                <OneTest key={test.experiment} test={test} />
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}

function OneTest({ test: { sequence, step, state, missing, delays, suggestion } }: { test: DelayTest }) {
  const { slug: store } = useStore();
  return (
    <li className="px-4 py-3">
      <p className="font-medium">
        <Link to="/$store/sequences/$slug" params={{ store, slug: sequence }} className="hover:underline">
          {plain(sequence)}
        </Link>
        {`: ${plain(step)}`}
      </p>
      <p className="text-[0.8125rem] text-soft">
        {state === 'unsound'
          ? 'The delays have not as many people as they should: nothing may be believed.'
          : state === 'not_enough'
            ? `Not enough yet: ${formatNumber(missing.people)} people and ${formatNumber(missing.conversions)} conversions are missing.`
            : (suggestion ?? 'No delay does better for certain.')}
      </p>
      <ul className="mt-1.5 space-y-1 text-[0.8125rem]">
        {delays.map(({ variant, delay_seconds: delay, n, rate, interval }) => (
          <li key={variant} className="grid grid-cols-[5rem_minmax(0,1fr)] gap-x-3">
            <span>{formatDuration(delay)}</span>
            <span className="text-soft">{rate === null ? 'nobody yet' : `${formatPercent(rate)} (${within(interval)}) of ${formatNumber(n)}`}</span>
          </li>
        ))}
      </ul>
    </li>
  );
}
