import { learning } from '../../../sdk/index.ts';
import { Choice } from '../../parts/choice.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, formatPercent } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { within } from './within.ts';

export const boards = ['sequences', 'campaigns', 'sources', 'imports'] as const;
export type Board = (typeof boards)[number];
const names: Record<Board, string> = { sequences: 'Sequences', campaigns: 'Campaigns', sources: 'Sources', imports: 'Imports' };

/** Who does best, ordered so that few people do not lead by luck. */
export function Leaderboard({ of: board, days, onChange }: { of: Board; days: number; onChange: (board: Board) => void }) {
  const found = useStoreQuery(
    ['learning', 'leaderboards', board, days],
    (api, signal) => learning(api).leaderboards({ of: board, days }, { signal }),
    {
      keep: true,
    },
  );
  return (
    <Panel
      title="Side by side"
      note={
        found.data === undefined ? undefined : (
          <Definition of="Ordered by what the rate is at least">
            <p>{found.data.definition}</p>
          </Definition>
        )
      }
      aside={<Choice label="Compare" value={board} options={boards.map((value) => ({ value, name: names[value] }))} onChange={onChange} />}
      flush
    >
      <Answer of={found}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="Nothing to compare in this time" />
          ) : (
            <DataList
              label={names[board]}
              rows={data}
              idOf={({ key }) => key}
              columns={[
                { name: names[board], cell: ({ place, name }) => `${formatNumber(place)}. ${name}` },
                { name: 'People', align: 'end', cell: ({ n }) => formatNumber(n) },
                { name: 'Converted', align: 'end', wide: true, cell: ({ converted }) => formatNumber(converted) },
                {
                  name: 'Rate',
                  align: 'end',
                  cell: ({ rate, interval }) => (
                    <>
                      {formatPercent(rate)} <span className="block text-xs text-soft">{within(interval)}</span>
                    </>
                  ),
                },
                {
                  name: 'At least, beside the others',
                  align: 'end',
                  cell: ({ at_least: least }) => <span className="font-medium">{formatPercent(least)}</span>,
                },
              ]}
            />
          )
        }
      </Answer>
    </Panel>
  );
}
