import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { sequences } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatNumber } from '../../parts/format.ts';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { useTeamNames } from '../../parts/team-names.ts';
import { Time } from '../../parts/time.tsx';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import type { Form } from './form.ts';
import { type Running, RunningChoice } from './publish.tsx';

type Version = Item<'GET /api/sequences/{slug}/versions'>;

/** What was published, and the way back to it. */
export function Versions({ form, dirty, disabled }: { form: Form; dirty: boolean; disabled: boolean }) {
  const [back, setBack] = useState<Version | null>(null);
  const team = useTeamNames();
  const pages = usePages(['sequence-versions', form.slug], (api, page, signal) => sequences(api).versions(form.slug, page, { signal }));
  return (
    <div className="space-y-5">
      <Panel title="Versions" note="Each was published, and never changes. Going back publishes an earlier one again, as a new version." flush>
        <AllPages of={pages} empty={<Empty title="Nothing was published yet" />}>
          {(rows) => (
            <DataList
              label="Versions"
              rows={rows}
              idOf={({ version }) => String(version)}
              columns={[
                {
                  name: 'Version',
                  cell: ({ version }) => (
                    <span className="flex items-center gap-2 font-medium">
                      {version} {version === form.base_version && <Badge tone="good">in use</Badge>}
                    </span>
                  ),
                },
                { name: 'Published', cell: ({ published_at: at }) => <Time at={at} /> },
                { name: 'By', wide: true, cell: ({ published_by: by }) => byOf(by, team) },
                { name: 'People on it', align: 'end', cell: ({ open_enrollments: open }) => formatNumber(open) },
                {
                  name: 'Those on it',
                  wide: true,
                  cell: ({ running: { choice, to } }) => (choice === 'move' ? `go on in version ${to ?? ''}` : choice === 'exit' ? 'leave' : 'stay'),
                },
                {
                  name: 'Way back',
                  align: 'end',
                  cell: (row) =>
                    disabled || row.version === form.base_version ? (
                      ''
                    ) : (
                      <Button onClick={() => setBack(row)}>
                        Go back to it<span className="sr-only">: version {row.version}</span>
                      </Button>
                    ),
                },
              ]}
            />
          )}
        </AllPages>
      </Panel>
      {!disabled && <Ways form={form} dirty={dirty} />}
      <BackDialog form={form} to={back} onDone={() => setBack(null)} />
    </div>
  );
}

function byOf(by: string | null, team: ReadonlyMap<string, string>): string {
  if (by === null) return 'came with Rekindle';
  const [kind = ''] = by.split(':');
  return team.get(by) ?? { person: 'a colleague', api_key: 'a key of the API' }[kind] ?? by;
}

function BackDialog({ form, to, onDone }: { form: Form; to: Version | null; onDone: () => void }) {
  const [running, setRunning] = useState<Running>('stay');
  const roll = useAction((api, given: { to: number; running: Running }) =>
    sequences(api).rollback(form.slug, { ...given, base_version: form.base_version }),
  );
  const open = useStoreQuery(['sequence', form.slug], (api, signal) => sequences(api).get(form.slug, { signal }), { enabled: to !== null });
  return (
    <Dialog title={`Go back to version ${to?.version ?? ''}?`} open={to !== null} onClose={onDone}>
      <p className="mt-2 text-soft">
        What it says becomes version {form.base_version + 1}, for whoever comes from now on.
        {form.draft === null ? '' : ' Your draft stays, and must be read against that version before it is published.'}
      </p>
      {(open.data?.open_enrollments ?? 0) > 0 && (
        <RunningChoice value={running} onChange={setRunning} open={open.data?.open_enrollments ?? 0} movable={null} />
      )}
      {roll.error !== null && (
        <p role="alert" className="mt-2 text-bad">
          {roll.error.message}
        </p>
      )}
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button look="main" disabled={roll.isPending} onClick={() => to !== null && roll.mutate({ to: to.version, running }, { onSuccess: onDone })}>
          Go back
        </Button>
      </div>
    </Dialog>
  );
}

const ways = {
  discard: { name: 'Discard the draft', note: 'What was saved and not published is lost.' },
  delete: { name: 'Delete the sequence', note: 'Nothing of it was published, so nothing else is lost.' },
  archive: {
    name: 'Archive it',
    note: 'Nobody is taken in any more. Those who are in it go on to their end. You can take it out of the archive again.',
  },
  unarchive: { name: 'Take it out of the archive', note: 'It takes people in again.' },
} as const;
type Way = keyof typeof ways;

/** What takes something away. */
function Ways({ form, dirty }: { form: Form; dirty: boolean }) {
  const { slug: store } = useStore();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Way | null>(null);
  const act = useAction(async (api, way: Way) => {
    if (way === 'discard') return sequences(api).deleteDraft(form.slug);
    if (way === 'delete') return sequences(api).delete(form.slug);
    return way === 'archive' ? sequences(api).archive(form.slug, null) : sequences(api).unarchive(form.slug, null);
  });
  const offered: Way[] =
    form.status === 'DRAFT'
      ? ['delete']
      : [...(form.draft === null ? [] : ['discard' as const]), form.status === 'ARCHIVED' ? 'unarchive' : 'archive'];
  return (
    <div className="flex flex-wrap gap-2">
      {offered.map((way) => (
        <Button key={way} look={way === 'unarchive' ? 'plain' : 'danger'} disabled={dirty} onClick={() => setAsked(way)}>
          {ways[way].name}
        </Button>
      ))}
      <Dialog title={asked === null ? '' : `${ways[asked].name}?`} open={asked !== null} onClose={() => setAsked(null)}>
        <p className="mt-2 text-soft">{asked === null ? '' : ways[asked].note}</p>
        {act.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {act.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(null)}>Cancel</Button>
          <Button
            look="danger"
            disabled={act.isPending}
            onClick={() =>
              asked !== null &&
              act.mutate(asked, {
                onSuccess: () => {
                  setAsked(null);
                  if (asked === 'delete') void navigate({ to: '/$store/sequences', params: { store } });
                },
              })
            }
          >
            {asked === null ? '' : ways[asked].name}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}
