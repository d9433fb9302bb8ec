import { type FormEvent, useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { connections, integrations } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Select } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { sentenceCase } from '../../parts/format.ts';
import { Facts, inputLook, lineOf, TextField } from '../../parts/labelled.tsx';
import { Answer } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { guides } from './guides.ts';
import { type ConfigField, configOf, fieldsOf, labelOf, UnreadableFieldError } from './config-fields.ts';

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
  if (make.data !== undefined) return <Connected made={make.data} onDone={onDone} />;
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
              options={[
                { value: '', name: 'Choose …' },
                ...data.map(({ name, title, purpose }) => ({ value: name, name: `${purposes[purpose]}: ${title}` })),
              ]}
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
  const [needed, others] = [fields.filter(({ isRequired }) => isRequired), fields.filter(({ isRequired }) => !isRequired)];
  const faultAt = (name: string) => faults.find(({ path }) => path.split(/[./]/).includes(name))?.message;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    try {
      const secret = lineOf(given, 'secret');
      const config = integration.config === null ? {} : { config: configOf(fields, (name) => lineOf(given, `config.${name}`)) };
      setUnreadable(null);
      onSubmit({ integration: integration.name, name: lineOf(given, 'name'), ...config, secrets: secret === '' ? [] : [secret] });
    } catch (fault) {
      if (!(fault instanceof UnreadableFieldError)) throw fault;
      setUnreadable(fault.message);
    }
  };
  const field = (one: ConfigField) => <ConfigInput key={one.name} field={one} fault={faultAt(one.name)} />;
  return (
    <form onSubmit={submit} className="space-y-4" autoComplete="off">
      <TextField label="Name, for your list" name="name" required maxLength={120} defaultValue={integration.title} />
      {needed.map(field)}
      {integration.secret === 'entered' && (
        <TextField
          label="Secret of its webhooks"
          name="secret"
          type="password"
          minLength={8}
          autoComplete="off"
          hint={faultAt('secrets') ?? guides[integration.name]?.secret ?? 'As the provider shows it.'}
        />
      )}
      {others.length > 0 && (
        <details>
          <summary className="cursor-pointer text-[0.8125rem] text-soft">What can be left out</summary>
          <div className="mt-3 space-y-4">{others.map(field)}</div>
        </details>
      )}
      {(unreadable ?? error) !== null && (
        <p role="alert" className="text-bad">
          {unreadable ?? error}
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

function ConfigInput({ field: { name, kind, options, isSecret, isRequired, usual }, fault }: { field: ConfigField; fault: string | undefined }) {
  const hint = fault === undefined ? (kind === 'json' ? 'As JSON.' : undefined) : `It ${fault}`;
  const common = { name: `config.${name}`, required: isRequired };
  if (kind === 'choice')
    return (
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">{labelOf(name)}</span>
        <select {...common} defaultValue={usual} className={inputLook}>
          {!isRequired && <option value="">as usual</option>}
          {options.map((value) => (
            <option key={value}>{value}</option>
          ))}
        </select>
        {hint !== undefined && <span className="mt-1 block text-soft">{hint}</span>}
      </label>
    );
  if (kind === 'json')
    return (
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">{labelOf(name)}</span>
        <textarea {...common} rows={3} spellCheck={false} className={`${inputLook} font-mono`} />
        <span className="mt-1 block text-soft">{hint}</span>
      </label>
    );
  return (
    <TextField
      {...common}
      label={labelOf(name)}
      type={isSecret ? 'password' : kind === 'number' ? 'number' : 'text'}
      step="any"
      autoComplete="off"
      placeholder={usual}
      hint={hint}
    />
  );
}

/** The address and the secret, which is shown this once. */
function Connected({ made, onDone }: { made: Made; onDone: () => void }) {
  const { name, webhook, integration } = made;
  const guide = guides[integration];
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
              ['Address', <code className="ltr text-xs break-all">{webhook.url}</code>],
              ...(webhook.secret === null ? [] : ([['Secret', <code className="ltr text-xs break-all">{webhook.secret}</code>]] as const)),
            ]}
          />
          {guide !== undefined && <p className="text-[0.8125rem] text-soft">{guide.enter}</p>}
        </>
      )}
      <div className="flex justify-end">
        <Button look="main" onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}
