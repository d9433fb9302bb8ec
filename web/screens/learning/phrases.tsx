import type { Data } from '../../../sdk/index.ts';
import { learning } from '../../../sdk/index.ts';
import { Choice } from '../../parts/choice.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, formatPercent } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { within } from './within.ts';

type Found = Data<'GET /api/learning/phrases'>;
type Finding = Found['better'][number];
export const phraseChannels = ['sms', 'call', 'email'] as const;
export type PhraseChannel = (typeof phraseChannels)[number];

const kinds: Record<Finding['kind'], string> = {
  word: 'word',
  two_words: 'two words',
  three_words: 'three words',
  opening: 'in the first sentence',
  closing: 'in the last sentence',
  length: 'length of the text',
};

/** Words to use and words to avoid, by tests alone. */
export function Phrases({ channel, onChannel }: { channel: PhraseChannel; onChannel: (channel: PhraseChannel) => void }) {
  const found = useStoreQuery(['learning', 'phrases', channel], (api, signal) => learning(api).phrases({ channel }, { signal }), { keep: true });
  return (
    <Panel
      title="Words"
      note={
        found.data === undefined ? undefined : (
          <Definition of={`By ${formatNumber(found.data.n)} tests of texts on this channel`}>
            <p>{found.data.definition}</p>
          </Definition>
        )
      }
      aside={
        <Choice
          label="Channel"
          value={channel}
          options={[
            { value: 'sms', name: 'Text message' },
            { value: 'call', name: 'Call' },
            { value: 'email', name: 'Email' },
          ]}
          onChange={onChannel}
        />
      }
      flush
    >
      <Answer of={found}>{(phrases) => (phrases.state === 'not_enough_variants' ? <TooFew of={phrases} /> : <Judged of={phrases} />)}</Answer>
    </Panel>
  );
}

function TooFew({ of: { n, missing, fewest_tests: fewest, left_out: leftOut } }: { of: Found }) {
  const others = leftOut.reduce((sum, { tests }) => sum + tests, 0);
  return (
    <Empty title="Not enough variants">
      A word is judged once it varies in {formatNumber(fewest)} tests; at least {formatNumber(missing)} more are needed. There are {formatNumber(n)}{' '}
      tests that compare texts here{others > 0 && `, and ${formatNumber(others)} that say nothing about texts`}.
    </Empty>
  );
}

function Judged({ of: { better, worse, open } }: { of: Found }) {
  const sections = [
    { title: 'To use', rows: better, none: 'No word does better for certain.' },
    { title: 'To avoid', rows: worse, none: 'No word does worse for certain.' },
    { title: 'Not certain', rows: open, none: 'Everything that is judged is certain.' },
  ];
  return (
    <div className="grid border-t border-line lg:grid-cols-3 lg:divide-x lg:divide-line">
      {sections.map(({ title, rows, none }) => (
        <section key={title} className="min-w-0 px-4 py-3">
          <h3 className="mb-1 text-[0.8125rem] font-semibold">{title}</h3>
          {rows.length === 0 && <p className="text-[0.8125rem] text-soft">{none}</p>}
          <ul className="divide-y divide-line">
            {rows.slice(0, 12).map((row) => (
              <Phrase key={`${row.kind} ${row.text}`} of={row} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Phrase({ of: { kind, text, n, lift, interval, p } }: { of: Finding }) {
  return (
    <li className="py-1.5 text-[0.8125rem]">
      <p className="flex items-baseline justify-between gap-x-3">
        <bdi className="min-w-0 font-medium break-words">{kind === 'length' ? 'A longer text' : text}</bdi>
        <span className="whitespace-nowrap">{`${lift > 0 ? '+' : ''}${formatPercent(lift)}`}</span>
      </p>
      <p className="text-xs text-soft">
        {[
          kinds[kind],
          within(interval),
          `${formatNumber(n)} tests`,
          p === null ? '' : `p = ${p < 0.001 ? 'below 0.001' : formatNumber(Number(p.toFixed(3)))}`,
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
    </li>
  );
}
