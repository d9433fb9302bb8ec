import { Badge } from '../../parts/badge.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { formatNumber } from '../../parts/format.ts';
import { AllPages, rowsOf, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { sequences } from '../../../sdk/index.ts';
import { may, useStore } from '../../session/session.ts';
import { NewSequence } from './new-sequence.tsx';
import { SequenceStatus } from './sequence-status.tsx';

export function SequenceList() {
  const { slug: store, role } = useStore();
  const pages = usePages(['sequences'], (api, page, signal) => sequences(api).list(page, { signal }), { live: true });
  return (
    <>
      <PageHeader title="Sequences" note="What is sent after a cart is left, a lead comes in, or somebody falls silent; and who is in it now.">
        {may(role, 'edit') && <NewSequence known={rowsOf(pages)} />}
      </PageHeader>
      <Panel title="All sequences" flush>
        <AllPages of={pages} empty={<Empty title="There is no sequence yet" />}>
          {(rows) => (
            <DataList
              label="Sequences"
              rows={rows}
              idOf={({ id }) => id}
              linkOf={({ slug }) => ({ to: '/$store/sequences/$slug', params: { store, slug } })}
              columns={[
                { name: 'Name', cell: ({ name }) => name },
                { name: 'Status', cell: (row) => <SequenceStatus of={row} /> },
                { name: 'Version', align: 'end', wide: true, cell: ({ version }) => version ?? '–' },
                { name: 'Draft', wide: true, cell: ({ has_draft: draft }) => (draft ? <Badge tone="accent">not published</Badge> : '') },
                { name: 'Running now', align: 'end', cell: ({ open_enrollments: open }) => formatNumber(open) },
              ]}
            />
          )}
        </AllPages>
      </Panel>
    </>
  );
}
