import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { connections, deliveries, previews, sequences, settings } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { wasRehearsed } from '../../parts/first-steps.ts';
import { Panel } from '../../parts/panel.tsx';
import { Loading } from '../../parts/states.tsx';
import { may, useSession, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';

/** What is left to do before the first message can go out, in order, each with what is missing. */
export function FirstDay() {
  const shop = useShop();
  const sender = useSender();
  const published = usePublished();
  const { slug: store } = useStore();
  if (shop === null || sender === null || published === null) return <Loading lines={3} />;
  return (
    <Panel title="The first day" note="Until the first message goes out. Each line says what is missing." flush>
      <ol className="divide-y divide-line border-t border-line">
        <Step title="Connect a shop" done={shop === ''} missing={shop} to="/$store/connections" link="Connections" />
        <Step title="Connect what sends" done={sender.account === ''} missing={sender.account} to="/$store/connections" link="Connections" />
        <Step title="Say who writes" done={sender.names === ''} missing={sender.names} to="/$store/settings" link="Settings" />
        <TestEmail step={published.step} isReady={sender.account === '' && sender.names === ''} />
        <Step
          title="Rehearse it"
          done={wasRehearsed(store)}
          missing="See for an invented customer what would go out, and when. Nothing is sent."
          {...(published.step === null ? {} : { rehearses: published.step.slug })}
        />
        <Step
          title="Have a sequence in use"
          done={published.inUse !== null}
          missing="No sequence takes anybody in: publish one, or resume one that is paused."
          {...(published.inUse === null ? {} : { said: `“${published.inUse}” takes people in. Its texts and times are yours to change.` })}
          to="/$store/sequences"
          link="Sequences"
        />
      </ol>
    </Panel>
  );
}

/** @returns what is missing; empty: nothing; null: it is not known yet */
function useShop(): string | null {
  const told = useStoreQuery(['first-day', 'deliveries'], (api, signal) => deliveries(api).list({ limit: 1 }, { signal }), { live: true });
  const accounts = useConnections();
  if (told.data === undefined || accounts.data === undefined) return null;
  if (told.data.data.length > 0) return '';
  const shop = accounts.data.data.find(({ receives, state }) => receives && state === 'connected');
  const refused = accounts.data.data.find(({ missigned_at: at }) => at !== null);
  if (refused !== undefined) return `“${refused.name}” delivers, but is refused: it signs with another secret than the one that is entered here.`;
  return shop === undefined
    ? 'Nothing tells Rekindle about carts and orders yet.'
    : `“${shop.name}” is connected and has delivered nothing yet. Leave a cart there as a customer would, or send one: npx rekindle send cart.updated --email you@example.com`;
}

/** What is missing of the account that sends, and of who writes; each as `useShop` has it. */
function useSender(): { account: string; names: string } | null {
  const accounts = useConnections();
  const stored = useStoreQuery(['settings'], (api, signal) => settings(api).get({ signal }));
  if (accounts.data === undefined || stored.data === undefined) return null;
  const sends = accounts.data.data.some((one) => one.sends && one.state === 'connected');
  const names = {
    storeName: 'the name of your store',
    senderAddress: 'the address that emails come from',
    postalAddress: 'your postal address, which the law wants in them',
  } as const;
  const { settings: values, examples } = stored.data;
  const missing = Object.entries(names).flatMap(([name, words]) =>
    values[name] === null || values[name] === '' || examples.includes(name) ? [words] : [],
  );
  return {
    account: sends ? '' : 'Nothing sends yet: an email server, or a provider of emails or texts.',
    names: missing.length === 0 ? '' : `Missing: ${missing.join(', and ')}.`,
  };
}

const useConnections = () =>
  useStoreQuery(['first-day', 'connections'], (api, signal) => connections(api).list({ limit: 200 }, { signal }), { live: true });

interface EmailStep {
  slug: string;
  id: string;
}

/** The name of a sequence that takes people in, and an email of one; null: it is not known yet. */
function usePublished(): { inUse: string | null; step: EmailStep | null } | null {
  const list = useStoreQuery(['sequences'], (api, signal) => sequences(api).list({ limit: 200 }, { signal }));
  const active = list.data?.data.filter(({ status, paused }) => status === 'ACTIVE' && !paused) ?? [];
  const first = active.find(({ slug }) => slug === 'cart') ?? active[0] ?? list.data?.data[0];
  const found = useStoreQuery(['sequence', first?.slug ?? ''], (api, signal) => sequences(api).get(first?.slug ?? '', { signal }), {
    enabled: first !== undefined,
  });
  if (list.data === undefined || (first !== undefined && found.data === undefined)) return null;
  const email = found.data?.steps.find(({ channels }) => channels.includes('email'));
  return {
    inUse: active.length > 0 ? (first?.name ?? null) : null,
    step: first === undefined || email === undefined ? null : { slug: first.slug, id: email.id },
  };
}

/** The API keeps no outcome of a test email, so this browser remembers to whom one of the store was accepted. */
const acceptedKey = (store: string): string => `rekindle.tested.${store}`;

function TestEmail({ step, isReady }: { step: EmailStep | null; isReady: boolean }) {
  const { role, slug: store } = useStore();
  const { data: session } = useSession();
  const to = session?.person.email ?? '';
  const kept = acceptedKey(store);
  const [acceptedFor, setAcceptedFor] = useState(() => localStorage.getItem(kept));
  const send = useAction(async (api, { slug, id }: EmailStep) => {
    const done = await previews(api).sendTest(slug, id, { to });
    if (done.data?.outcome === 'accepted') {
      localStorage.setItem(kept, to);
      setAcceptedFor(to);
    }
    return done;
  });
  const accepted = to !== '' && acceptedFor === to;
  return (
    <Line
      title="Send a test to yourself"
      done={accepted}
      said={
        send.error !== null
          ? send.error.message
          : accepted
            ? `It was accepted for ${to}.`
            : send.data !== undefined
              ? `It was not accepted: ${send.data.response}`
              : `One email to ${to}, marked as a test.`
      }
    >
      {may(role, 'edit') && step !== null && !accepted && (
        <Button disabled={!isReady || send.isPending} onClick={() => send.mutate(step)}>
          Send it
        </Button>
      )}
    </Line>
  );
}

function Step({
  title,
  done,
  missing,
  said = null,
  to,
  link,
  rehearses,
}: {
  title: string;
  done: boolean;
  missing: string;
  /** Once it is done. */
  said?: string | null;
  to?: '/$store/connections' | '/$store/settings' | '/$store/sequences';
  link?: string;
  rehearses?: string;
}) {
  const { slug: store } = useStore();
  return (
    <Line title={title} done={done} said={done ? said : missing}>
      {!done && to !== undefined && (
        <Link to={to} params={{ store }} className="text-[0.8125rem] text-accent hover:underline">
          {link}
        </Link>
      )}
      {rehearses !== undefined && (
        <Link to="/$store/sequences/$slug/rehearse" params={{ store, slug: rehearses }} className="text-[0.8125rem] text-accent hover:underline">
          Rehearse
        </Link>
      )}
    </Line>
  );
}

function Line({ title, done, said, children }: { title: string; done: boolean; said: string | null; children?: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-64">
        <p className="flex items-center gap-2 font-medium">
          {title} {done && <Badge tone="good">done</Badge>}
        </p>
        {said !== null && <p className="text-[0.8125rem] text-soft">{said}</p>}
      </div>
      {children}
    </li>
  );
}
