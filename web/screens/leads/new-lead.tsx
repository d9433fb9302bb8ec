import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { leads } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { lineOf, TextField } from '../../parts/labelled.tsx';
import { useStore } from '../../session/session.ts';
import { useAction } from '../../session/use-action.ts';

/** A lead that somebody has met: it takes the same way as one from outside, with its routing to campaigns. */
export function NewLead({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="A new lead" open={open} onClose={onClose}>
      <Form onClose={onClose} />
    </Dialog>
  );
}

const fields = ['firstName', 'lastName', 'email', 'phone', 'interest'] as const;

function Form({ onClose }: { onClose: () => void }) {
  const { slug: store } = useStore();
  const navigate = useNavigate();
  const create = useAction((api, form: FormData) => {
    const given = Object.fromEntries(fields.map((name) => [name, lineOf(form, name)]).filter(([, value]) => value !== ''));
    return leads(api).create({ ...given, source: 'MANUAL' });
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(new FormData(event.currentTarget), {
      onSuccess: ({ lead }) => void navigate({ to: '/$store/leads/$id', params: { store, id: lead.id } }),
    });
  };
  return (
    <form onSubmit={submit} className="mt-3 space-y-4">
      <div className="grid grid-cols-2 gap-3">
        <TextField label="First name" name="firstName" maxLength={200} autoComplete="off" />
        <TextField label="Last name" name="lastName" maxLength={200} autoComplete="off" />
      </div>
      <TextField label="Email address" name="email" type="email" maxLength={320} autoComplete="off" />
      <TextField label="Telephone" name="phone" type="tel" maxLength={60} autoComplete="off" hint="With its country code, such as +43." />
      <TextField label="Asked about" name="interest" maxLength={500} autoComplete="off" />
      <p className="text-[0.8125rem] text-soft">
        Nobody is written to because they stand here: what they agreed to is recorded on their own page, and every message checks it.
      </p>
      {create.error !== null && (
        <p role="alert" className="text-bad">
          {create.error.errors?.[0] === undefined ? create.error.message : `${create.error.errors[0].path}: ${create.error.errors[0].message}`}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="main" disabled={create.isPending}>
          Add
        </Button>
      </div>
    </form>
  );
}
