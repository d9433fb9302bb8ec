import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { offers } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Select } from '../../parts/choice.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { inputLook, lineOf, TextField } from '../../parts/labelled.tsx';
import { PersonOf } from '../../parts/person-of.tsx';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer, Empty, Loading } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';

const page = getRouteApi('/$store/offers');
type Offer = Item<'GET /api/offers'>;

const states = [
  { value: 'all', name: 'All' },
  { value: 'minted', name: 'Ready' },
  { value: 'granted', name: 'Being made' },
  { value: 'refused', name: 'Could not be made' },
  { value: 'revoked', name: 'Taken back' },
] as const;

/** Discounts that single people were given: what became of each, taking one back, and the codes that there are left. */
export function Offers() {
  const { role } = useStore();
  const { state, code } = page.useSearch();
  const navigate = page.useNavigate();
  const [asked, setAsked] = useState<Offer | null>(null);
  const filter = { ...(state === 'all' ? {} : { state }), ...(code === '' ? {} : { code }) };
  const ask: PageAsk<Offer> = (api, given, signal) => offers(api).list({ ...given, ...filter }, { signal });
  const pages = usePages(['offers', state, code], ask, { live: true });
  return (
    <>
      <PageHeader
        title="Offers"
        note="Discounts for single people: a code each, once, until it ends. On what terms they are given is a setting of the store."
      >
        <Select
          label="Show"
          value={state}
          options={states}
          onChange={(value) =>
            void navigate({ search: (old) => ({ ...old, state: states.find((one) => one.value === value)?.value ?? 'all' }), replace: true })
          }
        />
        <ExportCsv name="offers" ask={ask} />
      </PageHeader>
      <div className="space-y-5">
        <Codes />
        <Find />
        <Panel title={code === '' ? 'The latest first' : `With the code “${code}”`} flush>
          <AllPages
            of={pages}
            empty={
              <Empty title={code === '' ? 'No offer' : 'Nobody was given this code'}>
                {code === '' ? 'A step with an offer gives one to whoever may have one by the terms of your store.' : 'Give the whole code.'}
              </Empty>
            }
          >
            {(rows) => (
              <DataList
                label="Offers"
                rows={rows}
                idOf={({ id }) => id}
                columns={[
                  {
                    name: 'Discount',
                    cell: (row) => (
                      <>
                        <span className="font-medium">{row.percent_off} %</span>{' '}
                        <span className="ltr font-mono text-xs text-soft">…{row.code_ends_with}</span>
                      </>
                    ),
                  },
                  { name: 'State', cell: (row) => <OfferState of={row} /> },
                  { name: 'For', cell: (row) => <PersonOf enrollment={row.enrollment_id} /> },
                  { name: 'By', wide: true, cell: (row) => `${sentenceCase(plain(row.sequence))}: ${plain(row.step)}` },
                  { name: 'Given', wide: true, align: 'end', cell: (row) => <Time at={row.granted_at} /> },
                  { name: 'Ends', align: 'end', cell: (row) => <Time at={row.ends_at} /> },
                  ...(may(role, 'edit')
                    ? [
                        {
                          name: 'Take back',
                          align: 'end' as const,
                          cell: (row: Offer) =>
                            row.redeemed_at === null && (row.state === 'granted' || row.state === 'minted') ? (
                              <Button
                                look="danger"
                                aria-label={`Take back the offer that ends with ${row.code_ends_with}`}
                                onClick={() => setAsked(row)}
                              >
                                Take back
                              </Button>
                            ) : null,
                        },
                      ]
                    : []),
                ]}
              />
            )}
          </AllPages>
        </Panel>
      </div>
      <TakeBack offer={asked} onDone={() => setAsked(null)} />
    </>
  );
}

const words: Record<Offer['state'], [tone: Tone, word: string]> = {
  granted: ['accent', 'being made'],
  minted: ['good', 'ready'],
  refused: ['bad', 'could not be made'],
  revoked: ['neutral', 'taken back'],
};

function OfferState({ of: { state, redeemed_at: redeemedAt, redeemed_order: order, note } }: { of: Offer }) {
  const [tone, word] = words[state];
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5">
      {redeemedAt === null ? <Badge tone={tone}>{word}</Badge> : <Badge tone="good">used{order === null ? '' : ` by order ${order}`}</Badge>}
      {note !== null && <span className="text-xs text-soft">{note}</span>}
    </span>
  );
}

function Find() {
  const { code } = page.useSearch();
  const navigate = page.useNavigate();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const next = lineOf(new FormData(event.currentTarget), 'code');
    void navigate({ search: (old) => ({ ...old, code: next }) });
  };
  return (
    <form key={code} role="search" onSubmit={submit} className="flex max-w-xl gap-2">
      <label className="min-w-0 flex-1">
        <span className="sr-only">The whole code</span>
        <input
          type="search"
          name="code"
          defaultValue={code}
          placeholder="Whose code is it? The whole code"
          className={inputLook}
          autoComplete="off"
          spellCheck={false}
          maxLength={100}
        />
      </label>
      <Button type="submit">Search</Button>
    </form>
  );
}

function Codes() {
  const { role } = useStore();
  const [open, setOpen] = useState(false);
  const found = useStoreQuery(['offers', 'codes'], (api, signal) => offers(api).codes({ signal }), { live: true });
  return (
    <Panel
      title="Codes of your own"
      note="From a list that your shop knows. Where Shopify makes the codes, you need none."
      aside={may(role, 'edit') && <Button onClick={() => setOpen(true)}>Add codes</Button>}
    >
      <Answer of={found} loading={<Loading lines={2} />}>
        {({ free, given, expired }) => (
          <div className="grid grid-cols-3 gap-x-6">
            <Figure
              name="Free"
              value={formatNumber(free)}
              means={<p>Codes that somebody can still be given. Where none is left, steps go out without an offer.</p>}
            />
            <Figure name="Given" value={formatNumber(given)} means={<p>Codes that somebody was given. Nobody else gets them any more.</p>} />
            <Figure name="Too late" value={formatNumber(expired)} means={<p>Codes that nobody was given, and that your shop takes no more.</p>} />
          </div>
        )}
      </Answer>
      <Dialog title="Add codes" open={open} onClose={() => setOpen(false)}>
        <AddCodes onClose={() => setOpen(false)} />
      </Dialog>
    </Panel>
  );
}

function AddCodes({ onClose }: { onClose: () => void }) {
  const add = useAction((api, { codes, until }: { codes: string[]; until: string }) =>
    offers(api).addCodes({ codes, expires_at: until === '' ? null : new Date(`${until}T23:59:59`).toISOString() }),
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const codes = lineOf(form, 'codes')
      .split(/[\s,;]+/)
      .filter((one) => one !== '');
    add.mutate({ codes, until: lineOf(form, 'until') });
  };
  if (add.data !== undefined)
    return (
      <div className="mt-3 space-y-4">
        <p role="status">
          {formatNumber(add.data.added)} added, {formatNumber(add.data.free)} are free now.
        </p>
        <div className="flex justify-end">
          <Button look="main" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    );
  return (
    <form onSubmit={submit} className="mt-3 space-y-4">
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">Codes</span>
        <textarea name="codes" required rows={6} className={`${inputLook} font-mono`} spellCheck={false} />
        <span className="mt-1 block text-soft">One a line, 5,000 at most at a time, as your shop has them. Each is given to one person, once.</span>
      </label>
      <TextField label="Your shop takes them until" name="until" type="date" hint="Empty: for as long as it likes." />
      {add.error !== null && (
        <p role="alert" className="text-bad">
          {add.error.errors?.[0] === undefined ? add.error.message : `${add.error.errors[0].path} ${add.error.errors[0].message}`}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="main" disabled={add.isPending}>
          Add
        </Button>
      </div>
    </form>
  );
}

function TakeBack({ offer, onDone }: { offer: Offer | null; onDone: () => void }) {
  const [said, setSaid] = useState<string | null>(null);
  const revoke = useAction((api, id: string) => offers(api).revoke(id));
  const close = () => {
    setSaid(null);
    revoke.reset();
    onDone();
  };
  return (
    <Dialog title="Take this offer back?" open={offer !== null} onClose={close}>
      {said === null ? (
        <>
          <p className="mt-2 text-soft">
            The code counts for nobody any more. A message that promises it may be in the person’s hands already. One of your own list you close at
            your shop yourself.
          </p>
          {revoke.error !== null && (
            <p role="alert" className="mt-2 text-bad">
              {revoke.error.message}
            </p>
          )}
          <div className="mt-4 flex justify-end gap-2">
            <Button onClick={close}>Cancel</Button>
            <Button
              look="danger"
              disabled={revoke.isPending}
              onClick={() =>
                offer !== null &&
                revoke.mutate(offer.id, {
                  onSuccess: ({ sent, at_shop: atShop, source }) =>
                    setSaid(
                      [
                        sent ? 'It is taken back, but a message with it has gone out.' : 'It is taken back before anybody heard of it.',
                        ...(source === 'pool'
                          ? ['Close the code at your shop, too.']
                          : [atShop ? 'Your shop knows.' : 'Your shop could not be reached: it is closed there as soon as it answers.']),
                      ].join(' '),
                    ),
                })
              }
            >
              Take back
            </Button>
          </div>
        </>
      ) : (
        <>
          <p role="status" className="mt-2">
            {said}
          </p>
          <div className="mt-4 flex justify-end">
            <Button look="main" onClick={close}>
              Done
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}
