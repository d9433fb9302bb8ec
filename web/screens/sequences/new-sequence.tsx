import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { sequences } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { inputLook, lineOf, TextField } from '../../parts/labelled.tsx';
import { useStore } from '../../session/session.ts';
import { useAction } from '../../session/use-action.ts';

const triggers = [
  { value: 'cart.abandoned', name: 'a cart is left behind' },
  { value: 'lead.created', name: 'a lead comes in' },
  { value: 'lead.silent', name: 'a lead falls silent' },
  { value: 'chat.ghosted', name: 'a lead leaves a chat' },
  { value: 'manual lead', name: 'a campaign or a colleague takes a lead in' },
  { value: 'manual cart', name: 'a colleague takes a cart in' },
] as const;

/** Begins a sequence: from another one, or from nothing. It is a draft until it is published. */
export function NewSequence({ known }: { known: readonly Item<'GET /api/sequences'>[] }) {
  const { slug: store } = useStore();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [like, setLike] = useState('');
  const [trigger, setTrigger] = useState<string>('lead.created');
  const create = useAction((api, name: string) => {
    const [on = 'manual', about] = trigger.split(' ');
    return sequences(api).create(like === '' ? { name, on, ...(about === undefined ? {} : { about }) } : { name, like, on: 'manual' });
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(lineOf(new FormData(event.currentTarget), 'name'), {
      onSuccess: ({ slug }) => void navigate({ to: '/$store/sequences/$slug/edit', params: { store, slug } }),
    });
  };
  return (
    <>
      <Button look="main" onClick={() => setOpen(true)}>
        New sequence
      </Button>
      <Dialog title="A new sequence" open={open} onClose={() => setOpen(false)}>
        <form onSubmit={submit} className="mt-3 space-y-4">
          <TextField label="Name" name="name" required maxLength={80} />
          <label className="block text-[0.8125rem]">
            <span className="mb-1 block font-medium">Begins as</span>
            <select className={inputLook} value={like} onChange={(event) => setLike(event.target.value)}>
              <option value="">an empty sequence</option>
              {known
                .filter(({ version }) => version !== null)
                .map(({ slug, name }) => (
                  <option key={slug} value={slug}>
                    a copy of “{name}”
                  </option>
                ))}
            </select>
          </label>
          {like === '' && (
            <label className="block text-[0.8125rem]">
              <span className="mb-1 block font-medium">Somebody comes into it when</span>
              <select className={inputLook} value={trigger} onChange={(event) => setTrigger(event.target.value)}>
                {triggers.map(({ value, name }) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
          {create.error !== null && (
            <p role="alert" className="text-bad">
              {create.error.errors?.[0]?.message ?? create.error.message}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" look="main" disabled={create.isPending}>
              Make it
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
