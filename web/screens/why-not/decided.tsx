import { readable } from '../../parts/words.ts';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Item } from '../../../sdk/index.ts';
import { decisions } from '../../../sdk/index.ts';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { Panel } from '../../parts/panel.tsx';
import { nameOf, usePeopleNames } from '../../parts/people-names.ts';
import { useSequenceNames } from '../../parts/sequence-names.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useStore } from '../../session/session.ts';
import { Gates } from '../people/gates.tsx';

const page = getRouteApi('/$store/why-not');

/** Who it was, and what was looked at. */
export function Decided({ reason }: { reason: string }) {
  const { days, sequence } = page.useSearch();
  const { slug: store } = useStore();
  const sequenceName = useSequenceNames();
  const ask: PageAsk<Item<'GET /api/decisions'>> = (api, given, signal) =>
    decisions(api).list(
      { ...given, ...(sequence === '' ? {} : { sequence }), reason, since: new Date(Date.now() - Number(days) * 86_400_000).toISOString() },
      { signal },
    );
  const pages = usePages(['decisions', reason, sequence, days], ask);
  const first = usePeopleNames(pages.data?.pages[0]?.data.map(({ contact }) => contact) ?? []);
  const last = usePeopleNames(pages.data?.pages.at(-1)?.data.map(({ contact }) => contact) ?? []);
  const whoIs = (contact: string) => {
    const person = last.get(contact) ?? first.get(contact);
    return person === undefined ? '…' : nameOf(person);
  };
  return (
    <Panel title={`Who: ${plain(reason)}`} flush aside={<ExportCsv name={`decisions-${reason}`} ask={ask} />}>
      <AllPages of={pages} empty={<Empty title="No single decision is stored">Some reasons are counted for whole groups, and name nobody.</Empty>}>
        {(rows) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((row) => (
              <li key={row.id} className="px-4 py-2">
                <details>
                  <summary className="cursor-pointer">
                    <span className="font-medium">{whoIs(row.contact)}</span>
                    <span className="text-soft">
                      {' '}
                      · {sentenceCase(plain(row.step))} · {sequenceName(row.sequence)} · <Time at={row.at} />
                      {row.until !== null && (
                        <>
                          {' '}
                          · goes on <Time at={row.until} />
                        </>
                      )}
                    </span>
                    <span className="block text-[0.8125rem] text-soft">{readable(row.sentence)}</span>
                  </summary>
                  <Gates of={row.gates} />
                  <Link to="/$store/people/$id" params={{ store, id: row.contact }} className="text-[0.8125rem] text-accent hover:underline">
                    Everything about {whoIs(row.contact)}
                  </Link>
                </details>
              </li>
            ))}
          </ul>
        )}
      </AllPages>
    </Panel>
  );
}
