import { type FormEvent, useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { notifications } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Select } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';
import { lineOf, TextField } from '../../parts/labelled.tsx';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { ToCopy } from '../../parts/to-copy.tsx';
import { may, useStore } from '../../session/session.ts';
import { useAction } from '../../session/use-action.ts';

type Target = Item<'GET /api/notification-targets'>;
type Channel = Target['channel'];

const channels: readonly { value: Channel; name: string; asks: string }[] = [
  { value: 'email', name: 'Email', asks: 'An email address.' },
  { value: 'sms', name: 'Text message', asks: 'A telephone number with its country code.' },
  { value: 'telegram', name: 'Telegram', asks: 'The id of a chat or group that has written to the store’s bot.' },
  { value: 'slack', name: 'Slack', asks: 'The address of an incoming webhook.' },
  { value: 'webhook', name: 'Webhook', asks: 'An http(s) address, which gets signed requests.' },
];
const channelOf = (text: string): Channel => channels.find(({ value }) => value === text)?.value ?? 'email';

/** What a form says about a target. An owner or kinds that are left empty are anybody and every kind. */
const wishIn = (form: FormData) => ({
  owner: lineOf(form, 'owner') === '' ? null : lineOf(form, 'owner'),
  kinds: lineOf(form, 'kinds')
    .split(',')
    .map((kind) => kind.trim())
    .filter((kind) => kind !== ''),
});

/** Where people are told of their tasks, and what became of it. */
export function Notifications() {
  const { role } = useStore();
  const targets = usePages(['notification-targets'], (api, given, signal) => notifications(api).targets(given, { signal }));
  const told = usePages(['notifications'], (api, given, signal) => notifications(api).list(given, { signal }), { live: true });
  return (
    <>
      <PageHeader title="Notifications" note="Where people are told of tasks that are theirs: calls, escalations, approvals.">
        {may(role, 'administer') && <Add />}
      </PageHeader>
      <div className="space-y-5">
        <Panel title="Targets" flush>
          <AllPages
            of={targets}
            empty={<Empty title="Nobody is told">Tasks are in the list all the same. Add where their owners are told of them.</Empty>}
          >
            {(rows) => (
              <ul className="divide-y divide-line border-t border-line">
                {rows.map((row) => (
                  <One key={row.id} row={row} />
                ))}
              </ul>
            )}
          </AllPages>
        </Panel>
        <Panel title="What people were told" flush>
          <AllPages of={told} empty={<Empty title="Nothing yet" />}>
            {(rows) => (
              <ul className="divide-y divide-line border-t border-line">
                {rows.map((row) => (
                  <Told key={row.id} row={row} />
                ))}
              </ul>
            )}
          </AllPages>
        </Panel>
      </div>
    </>
  );
}

function One({ row }: { row: Target }) {
  const { role } = useStore();
  const [asked, setAsked] = useState<'change' | 'remove' | null>(null);
  const check = useAction((api, id: string) => notifications(api).checkTarget(id));
  const remove = useAction((api, id: string) => notifications(api).removeTarget(id));
  const whose = row.owner ?? 'anybody';
  const close = () => setAsked(null);
  return (
    <li className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{row.owner ?? 'Tasks of anybody’s'}</span>
          <Badge>{channels.find(({ value }) => value === row.channel)?.name ?? row.channel}</Badge>
          {row.kinds.map((kind) => (
            <Badge key={kind}>{plain(kind)}</Badge>
          ))}
        </p>
        <p className="ltr text-[0.8125rem] break-all text-soft">{row.address}</p>
        {check.data !== undefined && (
          <p role="status" className={`mt-1 text-[0.8125rem] ${check.data.outcome === 'accepted' ? '' : 'text-bad'}`}>
            {check.data.detail}
          </p>
        )}
        {check.error !== null && (
          <p role="alert" className="mt-1 text-[0.8125rem] text-bad">
            {check.error.message}
          </p>
        )}
      </div>
      {may(role, 'administer') && (
        <span className="flex flex-wrap gap-2">
          <Button disabled={check.isPending} onClick={() => check.mutate(row.id)}>
            {check.isPending ? 'Sending' : 'Send a test'}
          </Button>
          <Button onClick={() => setAsked('change')}>Change</Button>
          <Button look="danger" onClick={() => setAsked('remove')}>
            Remove
          </Button>
        </span>
      )}
      <Dialog title="Change it" open={asked === 'change'} onClose={close}>
        {asked === 'change' && <Change row={row} onDone={close} />}
      </Dialog>
      <Dialog title={`Tell ${whose} nothing there any more?`} open={asked === 'remove'} onClose={close}>
        <p className="mt-2 text-soft">What waits for it is dropped. Tasks stay in the list.</p>
        {remove.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {remove.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate(row.id, { onSuccess: close })}>
            Remove
          </Button>
        </div>
      </Dialog>
    </li>
  );
}

function Change({ row, onDone }: { row: Target; onDone: () => void }) {
  const change = useAction((api, wish: ReturnType<typeof wishIn> & { address?: string }) => notifications(api).updateTarget(row.id, wish));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const address = lineOf(form, 'address');
    change.mutate({ ...wishIn(form), ...(address === '' ? {} : { address }) }, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit} className="mt-3 space-y-3">
      <WhoseFields row={row} />
      <TextField label="New address" name="address" autoComplete="off" hint="Left empty, it stays as it is." />
      <Ends fault={change.error?.message} pending={change.isPending} label="Save" onCancel={onDone} />
    </form>
  );
}

function Add() {
  const [open, setOpen] = useState(false);
  const [channel, setChannel] = useState<Channel>('email');
  const [secret, setSecret] = useState<string | null>(null);
  const create = useAction((api, wish: ReturnType<typeof wishIn> & { channel: Channel; address: string }) => notifications(api).createTarget(wish));
  const close = () => {
    setOpen(false);
    setSecret(null);
    create.reset();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    create.mutate(
      { ...wishIn(form), channel, address: lineOf(form, 'address') },
      { onSuccess: (made) => (made.secret === null ? close() : setSecret(made.secret)) },
    );
  };
  return (
    <>
      <Button look="main" onClick={() => setOpen(true)}>
        Tell somebody
      </Button>
      <Dialog title="Tell somebody of their tasks" open={open} onClose={close}>
        {secret === null ? (
          <form onSubmit={submit} className="mt-3 space-y-3">
            <Select label="By which way" value={channel} options={channels} onChange={(value) => setChannel(channelOf(value))} />
            <TextField label="Address" name="address" required autoComplete="off" hint={channels.find(({ value }) => value === channel)?.asks} />
            <WhoseFields row={null} />
            <Ends fault={create.error?.message} pending={create.isPending} label="Add" onCancel={close} />
          </form>
        ) : (
          <div className="mt-3 space-y-3">
            <p>It is signed with this secret, which is shown this once:</p>
            <ToCopy text={secret} label="secret" />
            <div className="flex justify-end">
              <Button look="main" onClick={close}>
                Done
              </Button>
            </div>
          </div>
        )}
      </Dialog>
    </>
  );
}

function WhoseFields({ row }: { row: Target | null }) {
  return (
    <>
      <TextField
        label="Whose tasks"
        name="owner"
        maxLength={120}
        autoComplete="off"
        defaultValue={row?.owner ?? ''}
        hint="The name that tasks have. Left empty, it is told of tasks that are anybody’s."
      />
      <TextField
        label="Kinds"
        name="kinds"
        autoComplete="off"
        defaultValue={row?.kinds.join(', ') ?? ''}
        hint="Such as escalation, approval; separated by commas. Left empty, every kind."
      />
    </>
  );
}

function Ends({ fault, pending, label, onCancel }: { fault: string | undefined; pending: boolean; label: string; onCancel: () => void }) {
  return (
    <>
      {fault !== undefined && (
        <p role="alert" className="text-bad">
          {fault}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button type="button" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" look="main" disabled={pending}>
          {label}
        </Button>
      </div>
    </>
  );
}

const tones = { sent: 'good', waiting: 'neutral', calling: 'neutral', unknown: 'warn', parked: 'bad', dropped: 'neutral' } as const;
const causes = { opened: 'a new task', assigned: 'a task that was given to them', overdue: 'an overdue task' } as const;

function Told({ row }: { row: Item<'GET /api/notifications'> }) {
  return (
    <li className="px-4 py-2.5">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={tones[row.state]}>{row.state === 'unknown' ? 'may have arrived' : row.state}</Badge>
        <span>
          {row.owner ?? 'Anybody'}: {causes[row.cause]}
        </span>
        <span className="text-[0.8125rem] text-soft">
          {sentenceCase(row.channel)} · <Time at={row.created_at} />
        </span>
      </p>
      {row.response !== null && row.state !== 'sent' && <p className="text-[0.8125rem] break-words text-soft">{row.response}</p>}
    </li>
  );
}
