import { getRouteApi } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { contacts } from '../../../sdk/index.ts';
import { sentenceCase, plain } from '../../parts/format.ts';
import { NoPagesYet, type PageAsk, rowsOf, usePages } from '../../parts/pages.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { type Contact, nameOf } from '../../parts/people-names.ts';
import { Search, searchOf } from '../../parts/search.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useStore } from '../../session/session.ts';

const page = getRouteApi('/$store/people');

/** Everybody, the newest first, and the way to one person. As many as there are: rows are drawn where they are looked at, and fetched as they come near. */
export function People() {
  const { q } = page.useSearch();
  const navigate = page.useNavigate();
  const ask: PageAsk<Contact> = (api, given, signal) => contacts(api).list({ ...given, ...searchOf(q) }, { signal });
  const pages = usePages(['contacts', q], ask, { live: true, limit: 100 });
  const rows = rowsOf(pages);
  return (
    <>
      <PageHeader title="People" note="Everybody who has left a cart, come in as a lead, or written.">
        <ExportCsv name="people" ask={ask} />
      </PageHeader>
      <div className="space-y-4">
        <Search value={q} onSearch={(text) => void navigate({ search: { q: text } })} />
        <Panel title={q === '' ? 'The newest first' : `Found for “${q}”`} flush>
          {pages.data === undefined ? (
            <NoPagesYet of={pages} />
          ) : rows.length === 0 ? (
            <Empty title={q === '' ? 'Nobody yet' : 'Nobody was found'}>
              {q === ''
                ? 'People appear here with the first cart or lead.'
                : 'Search by a whole email address, a telephone number, or an id that your shop has for them.'}
            </Empty>
          ) : (
            <Rows rows={rows} more={pages.hasNextPage} fetching={pages.isFetchingNextPage} fetchMore={() => void pages.fetchNextPage()} />
          )}
        </Panel>
      </div>
    </>
  );
}

const rowHeight = 56;

function Rows({ rows, more, fetching, fetchMore }: { rows: Contact[]; more: boolean; fetching: boolean; fetchMore: () => void }) {
  const { slug: store } = useStore();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !fetching && last >= rows.length - 20) fetchMore();
  }, [more, fetching, last, rows.length, fetchMore]);
  const move = (event: KeyboardEvent) => {
    const here = Number((document.activeElement as HTMLElement | null)?.dataset['index'] ?? -1);
    const to = here + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0);
    if (here < 0 || to === here || to < 0 || to >= rows.length) return;
    event.preventDefault();
    virtual.scrollToIndex(to);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus());
  };
  return (
    <>
      <div ref={scroller} onKeyDown={move} className="max-h-[70dvh] overflow-y-auto overscroll-contain border-t border-line" tabIndex={-1}>
        <ul aria-label="People" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <li
                key={row.id}
                className="absolute inset-x-0 top-0 border-b border-line"
                style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}
              >
                <Link
                  to="/$store/people/$id"
                  params={{ store, id: row.id }}
                  data-index={item.index}
                  className="grid h-full grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 px-4 -outline-offset-2 hover:bg-sunken/60 md:grid-cols-[minmax(0,2fr)_minmax(0,2fr)_8rem_7rem]"
                >
                  <span className="truncate font-medium">{nameOf(row)}</span>
                  <span className="ltr hidden truncate text-soft md:block">
                    {[row.emails[0], row.phones[0]].filter((one) => one !== undefined).join(' · ')}
                  </span>
                  <span className="hidden text-soft md:block">{sentenceCase(plain(row.lifecycle.toLowerCase()))}</span>
                  <span className="text-end text-xs text-soft">
                    <Time at={row.created_at} />
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      </div>
      <p role="status" className="border-t border-line px-4 py-2 text-xs text-soft">
        {more ? `${rows.length} fetched, more as you scroll` : rows.length === 1 ? 'One person' : `All ${rows.length}`}
      </p>
    </>
  );
}
