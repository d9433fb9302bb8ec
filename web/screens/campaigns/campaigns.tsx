import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { campaigns } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Choice } from '../../parts/choice.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { formatNumber } from '../../parts/format.ts';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { may, useStore } from '../../session/session.ts';
import { sourceName } from '../leads/lead-words.ts';
import { CampaignForm } from './campaign-form.tsx';
import { CampaignStatus } from './campaign-status.tsx';

const page = getRouteApi('/$store/campaigns');
type Campaign = Item<'GET /api/campaigns'>;

const statuses = [
  { value: 'all', name: 'All' },
  { value: 'ACTIVE', name: 'Active' },
  { value: 'PAUSED', name: 'Paused' },
  { value: 'ENDED', name: 'Ended' },
] as const;

/** Which leads are taken from where, and by which sequence they are contacted. */
export function Campaigns() {
  const { slug: store, role } = useStore();
  const { status } = page.useSearch();
  const go = page.useNavigate();
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const ask: PageAsk<Campaign> = (api, given, signal) => campaigns(api).list({ ...given, ...(status === 'all' ? {} : { status }) }, { signal });
  const pages = usePages(['campaigns', status], ask, { live: true });
  return (
    <>
      <PageHeader title="Campaigns" note="A campaign takes new leads by where they come from, and contacts them by one sequence.">
        <Choice label="Show" value={status} options={statuses} onChange={(value) => void go({ search: { status: value }, replace: true })} />
        <ExportCsv name="campaigns" ask={ask} />
        {may(role, 'edit') && (
          <Button look="main" onClick={() => setMaking(true)}>
            New campaign
          </Button>
        )}
      </PageHeader>
      <Panel title="The newest first" flush>
        <AllPages
          of={pages}
          empty={
            <Empty title="No campaign">
              Without one, a sequence about leads begins by itself for every new lead. A campaign decides which leads it takes, when they are
              contacted, and how many at a time.
            </Empty>
          }
        >
          {(rows) => (
            <DataList
              label="Campaigns"
              rows={rows}
              idOf={({ id }) => id}
              linkOf={({ id }) => ({ to: '/$store/campaigns/$id', params: { store, id } })}
              columns={[
                { name: 'Name', cell: ({ name }) => name },
                {
                  name: 'Status',
                  cell: (row) => (
                    <span className="inline-flex flex-wrap gap-1.5">
                      <CampaignStatus of={row} /> {row.sequence === null && <Badge tone="warn">no sequence</Badge>}
                    </span>
                  ),
                },
                {
                  name: 'Takes from',
                  wide: true,
                  cell: ({ autoAssign }) => (autoAssign === null ? 'by hand only' : autoAssign.sources.map(sourceName).join(', ')),
                },
                { name: 'Leads', align: 'end', cell: ({ leads }) => formatNumber(leads) },
                { name: 'In its sequence', align: 'end', wide: true, cell: ({ open }) => formatNumber(open) },
                { name: 'Converted', align: 'end', cell: ({ converted }) => formatNumber(converted) },
              ]}
            />
          )}
        </AllPages>
      </Panel>
      <CampaignForm
        campaign={null}
        open={making}
        onClose={() => setMaking(false)}
        onSaved={({ id }) => void navigate({ to: '/$store/campaigns/$id', params: { store, id } })}
      />
    </>
  );
}
