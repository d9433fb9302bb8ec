import { type FormEvent, useState } from 'react';
import type { Data, Item } from '../../../sdk/index.ts';
import { connections } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { lineOf, TextField } from '../../parts/labelled.tsx';
import { useAction } from '../../session/use-action.ts';
import { fieldsOf, UnreadableFieldError } from './config-fields.ts';
import { ConfigInputs, enteredConfig } from './config-inputs.tsx';
import { ProviderSteps } from './provider-steps.tsx';

type Connection = Item<'GET /api/connections'>;
type Integration = Data<'GET /api/integrations'>['data'][number];
type Change = Parameters<ReturnType<typeof connections>['update']>[1];

/** Its name, its pace, and what it is told: that is entered whole, because what is stored is never shown (ADR 112). */
export function ChangeConnection({ row, integration }: { row: Connection; integration: Integration | undefined }) {
  const [open, setOpen] = useState(false);
  const [isAnew, setAnew] = useState(false);
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const change = useAction((api, body: Change) => connections(api).update(row.id, body));
  const fields = fieldsOf(integration?.config ?? null);
  const close = () => {
    change.reset();
    setUnreadable(null);
    setAnew(false);
    setOpen(false);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const [most, seconds] = [lineOf(given, 'most'), lineOf(given, 'seconds')];
    try {
      const config = isAnew ? { config: enteredConfig(fields, given) } : {};
      const rate = row.sends ? { rate: most === '' ? null : { most: Number(most), within_seconds: Number(seconds === '' ? '1' : seconds) } } : {};
      setUnreadable(null);
      change.mutate({ name: lineOf(given, 'name'), ...rate, ...config }, { onSuccess: close });
    } catch (fault) {
      if (!(fault instanceof UnreadableFieldError)) throw fault;
      setUnreadable(fault.message);
    }
  };
  const faults = change.error?.errors ?? [];
  const said = unreadable ?? (change.error === null ? null : (faults.find(({ path }) => path === 'config')?.message ?? change.error.message));
  return (
    <>
      <Button onClick={() => setOpen(true)}>Change</Button>
      <Dialog title={`Change “${row.name}”`} open={open} onClose={close}>
        <form onSubmit={submit} className="mt-3 space-y-4" autoComplete="off">
          <TextField label="Name, for your list" name="name" required maxLength={120} defaultValue={row.name} />
          {row.sends && (
            <div className="grid gap-4 sm:grid-cols-2">
              <TextField
                label="Messages at most"
                name="most"
                type="number"
                min={1}
                max={100_000}
                defaultValue={row.rate?.most ?? ''}
                hint="As the provider allows. Empty: as many as there are."
              />
              <TextField
                label="Within so many seconds"
                name="seconds"
                type="number"
                min={0.1}
                step="any"
                defaultValue={row.rate?.within_seconds ?? ''}
              />
            </div>
          )}
          {fields.length > 0 && (
            <label className="flex min-h-7 items-center gap-2 text-[0.8125rem] pointer-coarse:min-h-11">
              <input
                type="checkbox"
                className="size-4 accent-accent"
                checked={isAnew}
                onChange={(event) => {
                  change.reset();
                  setAnew(event.target.checked);
                }}
              />
              Enter its account anew
            </label>
          )}
          {isAnew && (
            <>
              <p className="text-[0.8125rem] text-soft">
                All of it: what is stored is never shown, and nothing of it is kept. It counts from the next message or delivery on.
              </p>
              <ProviderSteps of={integration?.guide.before ?? []} />
              <ConfigInputs fields={fields} faults={faults} />
            </>
          )}
          {said !== null && (
            <p role="alert" className="text-bad">
              {said}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" look="main" disabled={change.isPending}>
              Save
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
