import { type FormEvent, useState } from 'react';
import { connections } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { lineOf, SecretField } from '../../parts/labelled.tsx';
import { ToCopy } from '../../parts/to-copy.tsx';
import { useAction } from '../../session/use-action.ts';

/** Another secret for the webhooks of a connection. @param isEntered - the provider makes it; else it is made here */
export function NewSecret({ id, name, isEntered, hint }: { id: string; name: string; isEntered: boolean; hint: string | null }) {
  const [open, setOpen] = useState(false);
  const rotate = useAction((api, secret: string) => connections(api).rotate(id, secret === '' ? {} : { secret }));
  const close = () => {
    rotate.reset();
    setOpen(false);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const secret = lineOf(new FormData(event.currentTarget), 'secret');
    rotate.mutate(secret, isEntered ? { onSuccess: close } : {});
  };
  const made = rotate.data?.webhook?.secret ?? null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>New secret</Button>
      <Dialog title={`Another secret for “${name}”`} open={open} onClose={close}>
        <form onSubmit={submit} className="mt-2 space-y-4" autoComplete="off">
          {isEntered ? (
            <SecretField label="Secret of its webhooks" name="secret" required minLength={8} hint={hint ?? 'As the provider shows it.'} />
          ) : (
            <p className="text-soft">
              {made === null ? 'It is made here, and shown once: enter it at the provider.' : 'Enter it at the provider. It is shown this once.'}
            </p>
          )}
          {made !== null && <ToCopy text={made} label="secret" />}
          {rotate.error !== null && (
            <p role="alert" className="text-bad">
              {rotate.error.errors?.[0] === undefined ? rotate.error.message : `It ${rotate.error.errors[0].message}`}
            </p>
          )}
          <p className="text-[0.8125rem] text-soft">The one before is taken as well, until there is another new one.</p>
          <div className="flex justify-end gap-2">
            <Button onClick={close}>{made === null ? 'Cancel' : 'Done'}</Button>
            {made === null && (
              <Button type="submit" look="main" disabled={rotate.isPending}>
                {isEntered ? 'Save' : 'Make one'}
              </Button>
            )}
          </div>
        </form>
      </Dialog>
    </>
  );
}
