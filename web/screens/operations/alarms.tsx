import { alarms } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { formatDuration, formatNumber, formatShare, plain, sentenceCase } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useStoreQuery } from '../../session/store-query.ts';

const inWords = (kind: string, figure: number) =>
  kind === 'latency' ? formatDuration(figure) : kind === 'success' || kind === 'escalation_share' ? formatShare(figure) : formatNumber(figure);

const names: Readonly<Record<string, string>> = {
  latency: 'How late steps went out, at worst',
  success: 'Messages that providers accepted',
  escalation_share: 'Accounts that were handed to a person',
  failures: 'Messages that failed',
  backlog: 'What waits for more than a minute: deliveries, tasks',
};

const isTrouble = (trouble: 'above' | 'below', figure: number | null, threshold: number | null) =>
  figure !== null && threshold !== null && (trouble === 'above' ? figure > threshold : figure < threshold);

/** The store's own figures beside the thresholds that it has set. */
export function Alarms() {
  const found = useStoreQuery(['alarms'], (api, signal) => alarms(api).get({ signal }), { live: true });
  return (
    <Panel title="Alarms" note="Of this store, looked at once a minute. An alarm is raised once a figure has been in trouble for some minutes." flush>
      <Answer of={found}>
        {({ alarms: rows }) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map(({ kind, raised, raised_at: since, figure, threshold, trouble }) => (
              <li key={kind} className="flex flex-wrap items-baseline justify-between gap-x-4 px-4 py-2">
                <span className="font-medium">{names[kind] ?? sentenceCase(plain(kind))}</span>
                <span className="flex flex-wrap items-baseline gap-x-3 text-[0.8125rem] text-soft">
                  {figure === null ? 'nothing to measure' : inWords(kind, figure)}
                  {threshold !== null && `, trouble ${trouble} ${inWords(kind, threshold)}`}
                  {raised ? (
                    <Badge tone="bad">alarm</Badge>
                  ) : isTrouble(trouble, figure, threshold) ? (
                    <Badge tone="warn">no alarm yet</Badge>
                  ) : (
                    <Badge tone="good">ok</Badge>
                  )}
                  {raised && since !== null && <Time at={since} />}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}
