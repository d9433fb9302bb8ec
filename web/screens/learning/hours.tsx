import { useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { learning } from '../../../sdk/index.ts';
import { Choice } from '../../parts/choice.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, formatPercent, sentenceCase } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { within } from './within.ts';

type Learned = Data<'GET /api/learning/hours'>['data'][number];
type Cell = Learned['cells'][number];

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const hours = Array.from({ length: 24 }, (_, hour) => hour);

/** What messages come to by the hour of the reader's week: colour is the rate, and how strong it is says how certain that is. */
export function Hours() {
  const [channel, setChannel] = useState<string | null>(null);
  const found = useStoreQuery(['learning', 'hours'], (api, signal) => learning(api).hours({ signal }));
  const channels = found.data?.data ?? [];
  const shown = channels.find((one) => one.channel === channel) ?? channels[0];
  return (
    <Panel
      title="Hours"
      note={
        found.data === undefined ? undefined : (
          <Definition of="By the clock of whoever reads it, computed every night">
            <p>{found.data.definition}</p>
            <p>
              Colour is the rate, drawn towards what the day and the hour come to by themselves, the more the fewer messages there are. The stronger
              it is, the more certain that the hour is better, or worse, than all together.
            </p>
          </Definition>
        )
      }
      aside={
        shown !== undefined && channels.length > 1 ? (
          <Choice
            label="Channel"
            value={shown.channel}
            options={channels.map((one) => ({ value: one.channel, name: sentenceCase(one.channel) }))}
            onChange={setChannel}
          />
        ) : undefined
      }
      flush
    >
      <Answer of={found}>
        {() =>
          shown === undefined || shown.n === 0 ? (
            <Empty title="No hour is known yet">Messages of the last week are not counted yet: whoever got them may still order.</Empty>
          ) : (
            <Week of={shown} />
          )
        }
      </Answer>
    </Panel>
  );
}

function Week({ of: { channel, cells, preferred, n, converted } }: { of: Learned }) {
  const rates = cells.filter((cell) => cell.n > 0).map(({ rate }) => rate);
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)];
  const at = new Map(cells.map((cell) => [`${cell.day} ${cell.hour}`, cell]));
  return (
    <div className="space-y-3 px-4 pb-4">
      <div className="overflow-x-auto" role="region" aria-label={`Hours of the week by ${channel}`} tabIndex={0}>
        <table className="w-full min-w-[38rem] table-fixed border-separate border-spacing-px text-xs">
          <thead className="text-soft">
            <tr>
              <th scope="col" className="relative w-12 text-start font-normal">
                <span className="sr-only">Day</span>
              </th>
              {hours.map((hour) => (
                <th key={hour} scope="col" className="relative text-center font-normal">
                  {hour % 3 === 0 ? hour : <span className="sr-only">{hour}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day}>
                <th scope="row" className="text-start font-normal text-soft">
                  {sentenceCase(day.slice(0, 3))}
                </th>
                {hours.map((hour) => (
                  <Hour key={hour} of={at.get(`${day} ${hour}`)} share={(rate) => (highest > lowest ? (rate - lowest) / (highest - lowest) : 0.5)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="text-[0.8125rem] text-soft">
        {`${formatNumber(converted)} of ${formatNumber(n)} messages. `}
        {preferred.length === 0
          ? 'No hour is better for certain.'
          : `Preferred where a step waits for the best hour: ${preferred.map(({ day, hour }) => `${sentenceCase(day)} ${hour}:00`).join(', ')}.`}
      </p>
    </div>
  );
}

/** @param share - where a rate lies between the lowest and the highest, from 0 to 1 */
function Hour({ of: cell, share }: { of: Cell | undefined; share: (rate: number) => number }) {
  if (cell === undefined || cell.n === 0) return <td className="h-6 rounded-[2px] bg-sunken" />;
  const { rate, n, interval, chance_better: chance } = cell;
  const words = `${formatPercent(rate)}, of ${formatNumber(n)} messages (${within(interval)})`;
  const certainty = Math.abs(2 * chance - 1);
  return (
    <td className="relative h-6 rounded-[2px] bg-sunken" title={words}>
      <span
        className="absolute inset-0 rounded-[2px]"
        style={{
          backgroundColor: `color-mix(in oklab, var(--color-accent) ${Math.round(100 * share(rate))}%, var(--color-line-strong))`,
          opacity: 0.1 + 0.9 * certainty,
        }}
      />
      <span className="sr-only">{words}</span>
    </td>
  );
}
