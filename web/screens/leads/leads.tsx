import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { leads } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Search, searchOf } from '../../parts/search.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { leadName, sourceWord } from './lead-words.ts';
import { NewLead } from './new-lead.tsx';

const page = getRouteApi('/$store/leads');
type Lead = Item<'GET /api/leads'>;

/** Everybody who asked about something, the newest first. */
export function Leads() {
  const { slug: store, role } = useStore();
  const { q } = page.useSearch();
  const navigate = page.useNavigate();
  const [making, setMaking] = useState(false);
  const ask: PageAsk<Lead> = (api, given, signal) => {
    const { external_id: externalId, ...search } = searchOf(q);
    return leads(api).list({ ...given, ...search, ...(externalId === undefined ? {} : { externalId }) }, { signal });
  };
  const pages = usePages(['leads', q], ask, { live: true });
  return (
    <>
      <PageHeader title="Leads" note="People who asked about something: where they came from, and how far you have come with them.">
        <ExportCsv name="leads" ask={ask} />
        {may(role, 'operate') && (
          <Button look="main" onClick={() => setMaking(true)}>
            New lead
          </Button>
        )}
      </PageHeader>
      <div className="space-y-4">
        <Search value={q} onSearch={(text) => void navigate({ search: { q: text } })} />
        <Panel title={q === '' ? 'The newest first' : `Found for “${q}”`} flush>
          <AllPages
            of={pages}
            empty={
              <Empty title={q === '' ? 'No lead yet' : 'Nobody was found'}>
                {q === ''
                  ? 'Leads come in from lead ads, your own system, a file, or by hand.'
                  : 'Search by a whole email address, a telephone number, or an id that their source has for them.'}
              </Empty>
            }
          >
            {(rows) => (
              <DataList
                label="Leads"
                rows={rows}
                idOf={({ id }) => id}
                linkOf={({ id }) => ({ to: '/$store/leads/$id', params: { store, id } })}
                columns={[
                  { name: 'Name', cell: (row) => leadName(row) },
                  {
                    name: 'State',
                    cell: ({ status, duplicateOf }) => (
                      <span className="inline-flex flex-wrap gap-1.5">
                        {sentenceCase(plain(status.toLowerCase()))} {duplicateOf !== null && <Badge>came again</Badge>}
                      </span>
                    ),
                  },
                  { name: 'Asked about', wide: true, cell: ({ interest }) => interest ?? '' },
                  { name: 'From', wide: true, cell: (row) => sourceWord(row) },
                  { name: 'Campaign', wide: true, cell: ({ campaigns }) => campaigns.map(({ name }) => name).join(', ') },
                  { name: 'Came', align: 'end', cell: ({ createdAt }) => <Time at={createdAt} /> },
                ]}
              />
            )}
          </AllPages>
        </Panel>
      </div>
      <NewLead open={making} onClose={() => setMaking(false)} />
    </>
  );
}
