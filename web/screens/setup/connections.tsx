import { useState } from 'react';
import type { Data, Item } from '../../../sdk/index.ts';
import { connections, integrations } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { sentenceCase } from '../../parts/format.ts';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { ToCopy } from '../../parts/to-copy.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { ChangeConnection } from './change-connection.tsx';
import { Connect } from './connect.tsx';
import { NewSecret } from './new-secret.tsx';
import { ProviderSteps } from './provider-steps.tsx';

type Connection = Item<'GET /api/connections'>;
type Integration = Data<'GET /api/integrations'>['data'][number];

/** Accounts at shops and providers: which deliver, which send, and whether they let us in. */
export function Connections() {
  const { role } = useStore();
  const pages = usePages(['connections'], (api, given, signal) => connections(api).list(given, { signal }));
  const known = useStoreQuery(['integrations'], (api, signal) => integrations(api).list({ signal }));
  const byName = new Map(known.data?.data.map((one) => [one.name, one]));
  return (
    <>
      <PageHeader title="Connections" note="The shops that tell Rekindle what happens, and the providers that send for you.">
        {may(role, 'administer') && <Connect />}
      </PageHeader>
      <Panel title="Accounts" flush>
        <AllPages
          of={pages}
          empty={
            <Empty title="Nothing is connected">
              Connect a shop first: then its carts and orders arrive by themselves. The documentation says for each provider where to find what it
              asks for.
            </Empty>
          }
        >
          {(rows) => (
            <ul className="divide-y divide-line border-t border-line">
              {rows.map((row) => (
                <One key={row.id} row={row} integration={byName.get(row.integration)} />
              ))}
            </ul>
          )}
        </AllPages>
      </Panel>
    </>
  );
}

function One({ row, integration }: { row: Connection; integration: Integration | undefined }) {
  const title = integration?.title ?? sentenceCase(row.integration);
  const { role } = useStore();
  const [asked, setAsked] = useState(false);
  const check = useAction((api, id: string) => connections(api).check(id));
  const change = useAction((api, state: Connection['state']) => connections(api).update(row.id, { state }));
  const connected = row.state === 'connected';
  const next = connected ? 'disconnected' : 'connected';
  return (
    <li className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
      <div className="min-w-0 flex-1 basis-64">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{row.name}</span>
          <Badge tone={row.fault !== null ? 'bad' : connected ? 'good' : 'neutral'}>{row.fault === null ? row.state : 'refused'}</Badge>
          {row.receives && <Badge>tells us</Badge>}
          {row.sends && <Badge>sends</Badge>}
        </p>
        <p className="text-[0.8125rem] text-soft">
          {title} · since <Time at={row.created_at} as="date" />
          {row.rate !== null && ` · ${row.rate.most} in ${row.rate.within_seconds} s at most`}
        </p>
        {row.fault !== null && <p className="text-[0.8125rem] text-bad">{row.fault}</p>}
        {row.missigned_at !== null && (
          <p className="text-[0.8125rem] text-bad">
            A delivery was refused <Time at={row.missigned_at} />: it was signed with another secret than the one that is entered here.
          </p>
        )}
        {row.webhook !== null && (
          <div className="text-xs text-soft">
            Its webhooks come to <ToCopy text={row.webhook.url} label={`address of ${row.name}`} />
          </div>
        )}
        {(integration?.guide.after.length ?? 0) > 0 && (
          <details className="mt-1 text-[0.8125rem]">
            <summary className="cursor-pointer text-soft">What to do at the provider</summary>
            <div className="mt-1">
              <ProviderSteps of={integration?.guide.after ?? []} />
            </div>
          </details>
        )}
        {check.data !== undefined && (
          <p role="status" className="mt-1 text-[0.8125rem]">
            {check.data.sends !== null && `${check.data.sends.detail} `}
            {check.data.last_delivery_at === null ? (
              row.receives ? (
                'It has delivered nothing yet.'
              ) : (
                ''
              )
            ) : (
              <>
                It delivered last <Time at={check.data.last_delivery_at} />.
              </>
            )}
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
          {/* Always there: the dialog that shows a secret once must not go with the fault. */}
          {(integration?.secret === 'entered' || integration?.secret === 'made_here') && (
            <NewSecret id={row.id} name={row.name} isEntered={integration.secret === 'entered'} hint={integration.guide.secret} />
          )}
          <ChangeConnection row={row} integration={integration} />
          <Button disabled={check.isPending} onClick={() => check.mutate(row.id)}>
            {check.isPending ? 'Checking' : 'Check'}
          </Button>
          <Button look={connected ? 'danger' : 'plain'} onClick={() => setAsked(true)}>
            {connected ? 'Disconnect' : 'Connect'}
          </Button>
        </span>
      )}
      <Dialog title={connected ? `Disconnect “${row.name}”?` : `Connect “${row.name}”?`} open={asked} onClose={() => setAsked(false)}>
        <p className="mt-2 text-soft">
          {connected
            ? 'It delivers and sends nothing any more. Its account and secrets are kept, and it can be connected again.'
            : 'It delivers and sends as before.'}
        </p>
        {change.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {change.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(false)}>Cancel</Button>
          <Button
            look={connected ? 'danger' : 'main'}
            disabled={change.isPending}
            onClick={() => change.mutate(next, { onSuccess: () => setAsked(false) })}
          >
            {connected ? 'Disconnect' : 'Connect'}
          </Button>
        </div>
      </Dialog>
    </li>
  );
}
