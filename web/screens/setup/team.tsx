import { type FormEvent, useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { invitations, members } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Select } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { lineOf, TextField } from '../../parts/labelled.tsx';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { ToCopy } from '../../parts/to-copy.tsx';
import { may, type Role, useSession, useStore } from '../../session/session.ts';
import { useAction } from '../../session/use-action.ts';

const roles: readonly { value: Role; name: string }[] = [
  { value: 'viewer', name: 'viewer: looks' },
  { value: 'agent', name: 'agent: acts for single people' },
  { value: 'editor', name: 'editor: changes what is sent' },
  { value: 'admin', name: 'admin: changes how the store works' },
  { value: 'owner', name: 'owner: lets others in' },
];
const roleOf = (text: string): Role => roles.find(({ value }) => value === text)?.value ?? 'viewer';

/** Who may come into the store, and as what. */
export function Team() {
  const { role } = useStore();
  return (
    <>
      <PageHeader title="Team" note="Who may come into this store, and what they may do." />
      <div className="space-y-5">
        <Members />
        {may(role, 'own') && <Invitations />}
      </div>
    </>
  );
}

function Members() {
  const pages = usePages(['members'], (api, given, signal) => members(api).list(given, { signal }));
  return (
    <Panel title="People" flush>
      <AllPages of={pages} empty={<Empty title="Nobody yet" />}>
        {(rows) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((row) => (
              <Member key={row.id} row={row} />
            ))}
          </ul>
        )}
      </AllPages>
    </Panel>
  );
}

function Member({ row }: { row: Item<'GET /api/members'> }) {
  const { role } = useStore();
  const { data: session } = useSession();
  const [asked, setAsked] = useState(false);
  const change = useAction((api, next: Role) => members(api).update(row.id, { role: next }));
  const remove = useAction((api, id: string) => members(api).remove(id));
  const fault = change.error ?? remove.error;
  return (
    <li className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
      <div className="min-w-0">
        <p className="font-medium">
          {row.name} {session?.person.id === row.id && <Badge>you</Badge>}
        </p>
        <p className="text-[0.8125rem] text-soft">
          <span className="ltr">{row.email}</span> · since <Time at={row.since} as="date" />
        </p>
        {fault !== null && (
          <p role="alert" className="text-[0.8125rem] text-bad">
            {fault.message}
          </p>
        )}
      </div>
      {may(role, 'own') ? (
        <span className="flex flex-wrap items-center gap-2">
          <Select label={`Role of ${row.name}`} value={row.role} options={roles} onChange={(value) => change.mutate(roleOf(value))} />
          <Button look="danger" onClick={() => setAsked(true)}>
            Remove
          </Button>
        </span>
      ) : (
        <Badge>{row.role}</Badge>
      )}
      <Dialog title={`Remove ${row.name}?`} open={asked} onClose={() => setAsked(false)}>
        <p className="mt-2 text-soft">They cannot come into this store any more, from their next request on. What they did stays in the audit log.</p>
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(false)}>Cancel</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate(row.id, { onSettled: () => setAsked(false) })}>
            Remove
          </Button>
        </div>
      </Dialog>
    </li>
  );
}

function Invitations() {
  const [role, setRole] = useState<Role>('viewer');
  const pages = usePages(['invitations'], (api, given, signal) => invitations(api).list(given, { signal }));
  const invite = useAction((api, email: string) => invitations(api).create({ email, role }));
  const revoke = useAction((api, id: string) => invitations(api).revoke(id));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    invite.mutate(lineOf(new FormData(form), 'email'), { onSuccess: () => form.reset() });
  };
  return (
    <Panel title="Invitations" note="Whoever has the link makes the account: hand it over yourself." flush>
      <form onSubmit={submit} className="flex flex-wrap items-end gap-3 px-4 pb-4">
        <div className="min-w-56 flex-1">
          <TextField label="Email address" name="email" type="email" required autoComplete="off" />
        </div>
        <Select label="Role" value={role} options={roles} onChange={(value) => setRole(roleOf(value))} />
        <Button type="submit" look="main" disabled={invite.isPending}>
          Invite
        </Button>
      </form>
      {invite.data !== undefined && (
        <div role="status" className="mx-4 mb-4 rounded-md bg-good-soft p-3 text-good">
          <p>
            This link is shown this once, and opens until <Time at={invite.data.expires_at} as="date" />:
          </p>
          <div className="mt-1">
            <ToCopy text={invite.data.url} label="link" />
          </div>
        </div>
      )}
      {(invite.error ?? revoke.error) !== null && (
        <p role="alert" className="px-4 pb-3 text-bad">
          {(invite.error ?? revoke.error)?.message}
        </p>
      )}
      <AllPages of={pages} empty={<Empty title="Nobody was invited here" />}>
        {(rows) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((row) => {
              const open = row.accepted_at === null && row.revoked_at === null;
              return (
                <li key={row.id} className="flex flex-wrap items-center justify-between gap-3 px-4 py-2.5">
                  <span className="min-w-0">
                    <span className="ltr">{row.email}</span> <Badge>{row.role}</Badge>
                  </span>
                  <span className="flex items-center gap-3 text-[0.8125rem] text-soft">
                    {row.accepted_at !== null ? (
                      <span>
                        accepted <Time at={row.accepted_at} />
                      </span>
                    ) : row.revoked_at !== null ? (
                      'taken back'
                    ) : (
                      <span>
                        opens until <Time at={row.expires_at} as="date" />
                      </span>
                    )}
                    {open && (
                      <Button disabled={revoke.isPending} onClick={() => revoke.mutate(row.id)}>
                        Take back
                      </Button>
                    )}
                  </span>
                </li>
              );
            })}
          </ul>
        )}
      </AllPages>
    </Panel>
  );
}
