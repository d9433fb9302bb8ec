import { channelName, readable } from '../../parts/words.ts';
import { getRouteApi } from '@tanstack/react-router';
import type { Item } from '../../../sdk/index.ts';
import { messages } from '../../../sdk/index.ts';
import { Select } from '../../parts/choice.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { plain } from '../../parts/format.ts';
import { MessageState } from '../../parts/message-state.tsx';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { nameOf, usePeopleNames } from '../../parts/people-names.ts';
import { useSequenceNames } from '../../parts/sequence-names.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useStore } from '../../session/session.ts';

type Ask = PageAsk<Item<'GET /api/messages'>>;
const page = getRouteApi('/$store/messages');
const states = [
  { value: 'all', name: 'Whatever became of it' },
  { value: 'sent', name: 'Sent' },
  { value: 'skipped', name: 'Not sent' },
  { value: 'failed', name: 'Failed' },
  { value: 'unknown', name: 'In doubt' },
  { value: 'claimed', name: 'Being sent' },
] as const;
const channels = ['all', 'email', 'sms', 'whatsapp', 'telegram', 'push', 'onsite', 'call', 'crm', 'task'].map((value) => ({
  value,
  name: value === 'all' ? 'By any way' : channelName(value),
}));

/** Every message that was sent or left out, the newest first; each leads to its person. */
export function Messages() {
  const { slug: store } = useStore();
  const sequenceName = useSequenceNames();
  const { state, channel } = page.useSearch();
  const navigate = page.useNavigate();
  const filter = { ...(state === 'all' ? {} : { state }), ...(channel === 'all' ? {} : { channel }) };
  const ask: Ask = (api, given, signal) => messages(api).list({ ...given, ...filter }, { signal });
  const pages = usePages(['messages', state, channel], ask, { live: true });
  const first = usePeopleNames(pages.data?.pages[0]?.data.map(({ contact }) => contact) ?? []);
  const last = usePeopleNames(pages.data?.pages.at(-1)?.data.map(({ contact }) => contact) ?? []);
  return (
    <>
      <PageHeader title="Messages" note="Every step that was decided: what went out, what was left out, and why.">
        <Select
          label="Show"
          value={state}
          options={states}
          onChange={(value) =>
            void navigate({ search: (old) => ({ ...old, state: states.find((one) => one.value === value)?.value ?? 'all' }), replace: true })
          }
        />
        <Select
          label="Way"
          value={channel}
          options={channels}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, channel: value }), replace: true })}
        />
        <ExportCsv name="messages" ask={ask} />
      </PageHeader>
      <Panel title="The newest first" flush>
        <AllPages
          of={pages}
          empty={<Empty title="No message">The first goes out some time after the first cart is left or the first lead comes in.</Empty>}
        >
          {(rows) => (
            <DataList
              label="Messages"
              rows={rows}
              idOf={({ id }) => id}
              linkOf={({ contact }) => ({ to: '/$store/people/$id', params: { store, id: contact } })}
              columns={[
                {
                  name: 'Person',
                  cell: ({ contact }) => {
                    const person = last.get(contact) ?? first.get(contact);
                    return person === undefined ? '…' : nameOf(person);
                  },
                },
                { name: 'Step', cell: ({ sequence, step }) => `${sequenceName(sequence)}: ${plain(step)}` },
                { name: 'State', cell: (row) => <MessageState of={row} /> },
                { name: 'By', wide: true, cell: ({ channel: by }) => (by === null ? '' : channelName(by)) },
                { name: 'What became of it', wide: 'below', cell: ({ sentence }) => readable(sentence) },
                {
                  name: 'When',
                  align: 'end',
                  cell: ({ settled_at: settled, claimed_at: claimed, created_at: made }) => <Time at={settled ?? claimed ?? made} />,
                },
              ]}
            />
          )}
        </AllPages>
      </Panel>
    </>
  );
}
