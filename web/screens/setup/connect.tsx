import { type FormEvent, useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { connections, integrations } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Select } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { sentenceCase } from '../../parts/format.ts';
import { Facts, lineOf, SecretField, TextField } from '../../parts/labelled.tsx';
import { Answer } from '../../parts/states.tsx';
import { ToCopy } from '../../parts/to-copy.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { fieldsOf, UnreadableFieldError } from './config-fields.ts';
import { ConfigInputs, enteredConfig, faultAt } from './config-inputs.tsx';
import { ProviderSteps } from './provider-steps.tsx';

type Integration = Data<'GET /api/integrations'>['data'][number];
type Made = Data<'POST /api/connections'>;

const purposes: Record<Integration['purpose'], string> = {
  shop: 'Shop',
  leads: 'Leads',
  email: 'Email',
  texts_and_calls: 'Texts and calls',
  chat: 'Chat',
  site: 'Your site',
  crm: 'CRM',
  model: 'Model that writes',
  other: 'Other',
};

const purposeNames = Object.keys(purposes) as Integration['purpose'][];

const optionsOf = (all: readonly Integration[], purpose: Integration['purpose']) =>
  all
    .filter((one) => one.purpose === purpose)
    .toSorted((a, b) => a.title.localeCompare(b.title))
    .map(({ name, title }) => ({ value: name, name: title, group: purposes[purpose] }));

/** A new account at a shop or provider: what has to be entered follows from the integration. */
export function Connect() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button look="main" onClick={() => setOpen(true)}>
        Connect something
      </Button>
      <Dialog title="Connect something" open={open} onClose={() => setOpen(false)}>
        <Steps onDone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function Steps({ onDone }: { onDone: () => void }) {
  const [chosen, setChosen] = useState('');
  const found = useStoreQuery(['integrations'], (api, signal) => integrations(api).list({ signal }));
  const make = useAction((api, body: Parameters<ReturnType<typeof connections>['create']>[0]) => connections(api).create(body));
  if (make.data !== undefined) {
    const { guide } = found.data?.data.find(({ name }) => name === make.data.integration) ?? {};
    return <Connected made={make.data} guide={guide} onDone={onDone} />;
  }
  return (
    <Answer of={found}>
      {({ data }) => {
        const integration = data.find(({ name }) => name === chosen);
        return (
          <div className="mt-3 space-y-4">
            <Select
              label="What"
              value={chosen}
              onChange={(next) => {
                make.reset();
                setChosen(next);
              }}
              options={[{ value: '', name: 'Choose …' }, ...purposeNames.flatMap((purpose) => optionsOf(data, purpose))]}
            />
            {integration !== undefined && (
              <Fields
                key={integration.name}
                of={integration}
                faults={make.error?.errors ?? []}
                error={make.error?.message ?? null}
                isBusy={make.isPending}
                onSubmit={(body) => make.mutate(body)}
                onCancel={onDone}
              />
            )}
          </div>
        );
      }}
    </Answer>
  );
}

type Body = Parameters<ReturnType<typeof connections>['create']>[0];

function Fields({
  of: integration,
  faults,
  error,
  isBusy,
  onSubmit,
  onCancel,
}: {
  of: Integration;
  faults: readonly { path: string; message: string }[];
  error: string | null;
  isBusy: boolean;
  onSubmit: (body: Body) => void;
  onCancel: () => void;
}) {
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const fields = fieldsOf(integration.config);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    try {
      const secret = lineOf(given, 'secret');
      const config = integration.config === null ? {} : { config: enteredConfig(fields, given) };
      setUnreadable(null);
      onSubmit({ integration: integration.name, name: lineOf(given, 'name'), ...config, secrets: secret === '' ? [] : [secret] });
    } catch (fault) {
      if (!(fault instanceof UnreadableFieldError)) throw fault;
      setUnreadable(fault.message);
    }
  };
  const said = unreadable ?? (error === null ? null : (faults.find(({ path }) => path === 'config')?.message ?? error));
  return (
    <form onSubmit={submit} className="space-y-4" autoComplete="off">
      <ProviderSteps of={integration.guide.before} />
      <TextField label="Name, for your list" name="name" required maxLength={120} defaultValue={integration.title} />
      {integration.secret === 'entered' && (
        <SecretField
          label="Secret of its webhooks"
          name="secret"
          minLength={8}
          hint={faultAt(faults, 'secrets') ?? integration.guide.secret ?? 'As the provider shows it.'}
        />
      )}
      <ConfigInputs fields={fields} faults={faults} />
      {said !== null && (
        <p role="alert" className="text-bad">
          {said}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="main" disabled={isBusy}>
          Connect
        </Button>
      </div>
    </form>
  );
}

/** The address and the secret, which is shown this once. */
function Connected({ made, guide, onDone }: { made: Made; guide: Integration['guide'] | undefined; onDone: () => void }) {
  const { name, webhook } = made;
  return (
    <div className="mt-3 space-y-4">
      <p>{`“${sentenceCase(name)}” is connected.`}</p>
      {webhook !== null && (
        <>
          <p className="text-soft">
            {webhook.secret === null ? 'Enter this address at the provider:' : 'Enter both at the provider. The secret is shown this once.'}
          </p>
          <Facts
            of={[
              ['Address', <ToCopy text={webhook.url} label="address" />],
              ...(webhook.secret === null ? [] : ([['Secret', <ToCopy text={webhook.secret} label="secret" />]] as const)),
            ]}
          />
        </>
      )}
      <ProviderSteps of={guide?.after ?? []} />
      <div className="flex justify-end">
        <Button look="main" onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}
