import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  Outlet,
  redirect,
  type SearchSchemaInput,
  stripSearchParams,
} from '@tanstack/react-router';
import { useMemo } from 'react';
import { RekindleError } from '../sdk/index.ts';
import { Button } from './parts/button.tsx';
import { Empty, Failed, Loading, Offline } from './parts/states.tsx';
import { apiOf, goToSignIn, keepLastStore, lastStore, type Session, sessionQuery, StoreContext } from './session/session.ts';
import { oneOf, text } from './search.ts';
import { Shell } from './shell/shell.tsx';

/** Search parameters as they stand in the address. */
type Given = Partial<Record<string, unknown>> & SearchSchemaInput;

interface Context {
  client: QueryClient;
}

/**
 * The part of the dashboard that a page is in, fetched where there is a connection, else as soon as it is back: what a browser could not fetch once, it may
 * not try again, and the page would be lost.
 */
const onceOnline =
  <T,>(fetchPart: () => Promise<T>) =>
  async (): Promise<T> => {
    if (!navigator.onLine) await new Promise((back) => addEventListener('online', back, { once: true }));
    return fetchPart();
  };

const rootRoute = createRootRouteWithContext<Context>()({
  component: Outlet,
  errorComponent: Fault,
  notFoundComponent: () => <Empty title="There is no such page">Choose one from the menu.</Empty>,
});

/** Who is signed in. Nobody: goes to the page to sign in. */
async function whoIs(client: QueryClient): Promise<Session> {
  try {
    return await client.ensureQueryData(sessionQuery);
  } catch (error) {
    if (!(error instanceof RekindleError) || error.code !== 'no_session') throw error;
    goToSignIn();
    // The browser leaves this page.
    return new Promise(() => {});
  }
}

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: async ({ context: { client } }) => {
    const { stores } = await whoIs(client);
    const store = stores.find(({ slug }) => slug === lastStore()) ?? stores[0];
    if (store !== undefined) throw redirect({ to: '/$store', params: { store: store.slug }, replace: true });
  },
  component: () => <Empty title="You are a member of no store">Ask an owner of a store for an invitation.</Empty>,
});

const storeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '$store',
  beforeLoad: async ({ context: { client }, params }) => {
    const { stores } = await whoIs(client);
    const store = stores.find(({ slug }) => slug === params.store) ?? null;
    if (store !== null) keepLastStore(store.slug);
    return { store };
  },
  component: StoreFrame,
});

function StoreFrame() {
  const { store } = storeRoute.useRouteContext();
  const found = useMemo(() => (store === null ? null : { ...store, api: apiOf(store.slug) }), [store]);
  if (found === null)
    return (
      <Empty title="You are not a member of this store">
        Ask an owner of it for an invitation, or{' '}
        <a href="/app" className="underline">
          go to your own stores
        </a>
        .
      </Empty>
    );
  return (
    <StoreContext value={found}>
      <Shell />
    </StoreContext>
  );
}

const todayRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: '/',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/today/today.tsx')),
    'Today',
  ),
});

const sequencesRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'sequences',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/sequences/sequence-list.tsx')),
    'SequenceList',
  ),
});

const dayCount = oneOf(['7', '30', '90'], '30');
const status = oneOf(['all', 'ACTIVE', 'PAUSED', 'CONVERTED', 'COMPLETED', 'EXITED'], 'all');
/** Whichever there are: the API says which it knows. */
const exitReason = (value: unknown) => (typeof value === 'string' && /^[a-z_]{1,40}$/.test(value) ? value : '');
const sequenceRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'sequences/$slug',
  validateSearch: (given: Given) => ({
    days: dayCount(given['days']),
    status: status(given['status']),
    reason: exitReason(given['reason']),
    step: text(given['step']),
  }),
  search: { middlewares: [stripSearchParams({ days: '30', status: 'all', reason: '', step: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/sequences/sequence.tsx')),
    'SequencePage',
  ),
});

const builderView = oneOf(['steps', 'settings', 'publish', 'versions'], 'steps');
const builderRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'sequences/$slug/edit',
  validateSearch: (given: Given) => ({ view: builderView(given['view']), step: text(given['step']) }),
  search: { middlewares: [stripSearchParams({ view: 'steps', step: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/builder/builder.tsx')),
    'Builder',
  ),
});

const course = oneOf(['nothing', 'buys', 'replies', 'opts_out', 'outage', 'workers'], 'nothing');
const rehearseRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'sequences/$slug/rehearse',
  validateSearch: (given: Given) => ({ who: text(given['who']), from: text(given['from']), course: course(given['course']) }),
  search: { middlewares: [stripSearchParams({ who: '', from: '', course: 'nothing' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/rehearse/rehearse.tsx')),
    'Rehearse',
  ),
});

const messageState = oneOf(['all', 'claimed', 'sent', 'failed', 'unknown', 'skipped'], 'all');
const messageChannel = oneOf(['all', 'email', 'sms', 'whatsapp', 'telegram', 'push', 'onsite', 'call', 'crm', 'task'], 'all');
const messagesRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'messages',
  validateSearch: (given: Given): { state: ReturnType<typeof messageState>; channel: string } => ({
    state: messageState(given['state']),
    channel: messageChannel(given['channel']),
  }),
  search: { middlewares: [stripSearchParams({ state: 'all', channel: 'all' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/messages/messages.tsx')),
    'Messages',
  ),
});

const peopleRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'people',
  validateSearch: (given: Given) => ({ q: text(given['q']) }),
  search: { middlewares: [stripSearchParams({ q: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/people/people.tsx')),
    'People',
  ),
});

const timelineKind = oneOf(['all', 'message', 'event', 'decision', 'consent', 'order'], 'all');
const personRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'people/$id',
  validateSearch: (given: Given) => ({ kind: timelineKind(given['kind']) }),
  search: { middlewares: [stripSearchParams({ kind: 'all' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/people/person.tsx')),
    'PersonPage',
  ),
});

const leadsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'leads',
  validateSearch: (given: Given) => ({ q: text(given['q']) }),
  search: { middlewares: [stripSearchParams({ q: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/leads/leads.tsx')),
    'Leads',
  ),
});

const leadRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'leads/$id',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/leads/lead.tsx')),
    'LeadPage',
  ),
});

const campaignStatus = oneOf(['all', 'ACTIVE', 'PAUSED', 'ENDED'], 'all');
const campaignsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'campaigns',
  validateSearch: (given: Given) => ({ status: campaignStatus(given['status']) }),
  search: { middlewares: [stripSearchParams({ status: 'all' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/campaigns/campaigns.tsx')),
    'Campaigns',
  ),
});

const campaignRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'campaigns/$id',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/campaigns/campaign.tsx')),
    'CampaignPage',
  ),
});

const offerState = oneOf(['all', 'granted', 'minted', 'refused', 'revoked'], 'all');
const offersRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'offers',
  validateSearch: (given: Given) => ({ state: offerState(given['state']), code: text(given['code']) }),
  search: { middlewares: [stripSearchParams({ state: 'all', code: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/offers/offers.tsx')),
    'Offers',
  ),
});

const whyNotDays = oneOf(['1', '7', '30'], '7');
const whyNotRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'why-not',
  validateSearch: (given: Given) => ({ days: whyNotDays(given['days']), sequence: text(given['sequence']), reason: text(given['reason']) }),
  search: { middlewares: [stripSearchParams({ days: '7', sequence: '', reason: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/why-not/why-not.tsx')),
    'WhyNot',
  ),
});

const testStatus = oneOf(['all', 'RUNNING', 'DECIDED', 'STOPPED'], 'all');
const equalBand = oneOf(['0.5', '1', '2', '5'], '1');
const experimentsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'experiments',
  validateSearch: (given: Given) => ({ status: testStatus(given['status']), equal: equalBand(given['equal']) }),
  search: { middlewares: [stripSearchParams({ status: 'all', equal: '1' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/experiments/experiments.tsx')),
    'Experiments',
  ),
});

const learningDays = oneOf(['30', '90', '365'], '90');
const learningChannel = oneOf(['sms', 'call', 'email'], 'email');
const learningBoard = oneOf(['sequences', 'campaigns', 'sources', 'imports'], 'sequences');
const learningRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'learning',
  validateSearch: (given: Given) => ({
    days: learningDays(given['days']),
    channel: learningChannel(given['channel']),
    board: learningBoard(given['board']),
  }),
  search: { middlewares: [stripSearchParams({ days: '90', channel: 'email', board: 'sequences' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/learning/learning.tsx')),
    'Learning',
  ),
});

const riskBand = oneOf(['all', 'critical', 'active', 'early', 'none'], 'all');
const riskRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'risk',
  validateSearch: (given: Given) => ({ band: riskBand(given['band']) }),
  search: { middlewares: [stripSearchParams({ band: 'all' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/risk/risk.tsx')),
    'Risk',
  ),
});

const operationsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'operations',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/operations/operations.tsx')),
    'Operations',
  ),
});

const taskState = oneOf(['open', 'done', 'dismissed'], 'open');
const tasksRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'tasks',
  validateSearch: (given: Given) => ({ state: taskState(given['state']) }),
  search: { middlewares: [stripSearchParams({ state: 'open' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/tasks/tasks.tsx')),
    'Tasks',
  ),
});

const connectionsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'connections',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/setup/connections.tsx')),
    'Connections',
  ),
});

const notificationsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'notifications',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/setup/notifications.tsx')),
    'Notifications',
  ),
});

const settingsRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'settings',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/setup/settings.tsx')),
    'SettingsPage',
  ),
});

const teamRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'team',
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/setup/team.tsx')),
    'Team',
  ),
});

const auditedAction = oneOf(['', 'sequence.', 'settings.', 'connection.', 'enrollment.', 'member.'], '');
const auditRoute = createRoute({
  getParentRoute: () => storeRoute,
  path: 'audit',
  validateSearch: (given: Given) => ({ action: auditedAction(given['action']) }),
  search: { middlewares: [stripSearchParams({ action: '' })] },
  component: lazyRouteComponent(
    onceOnline(() => import('./screens/setup/audit.tsx')),
    'Audit',
  ),
});

/** A page that failed while it was drawn. */
function Fault({ error, reset }: ErrorComponentProps) {
  if (error instanceof RekindleError) return <Failed error={error} retry={reset} />;
  return (
    <Empty title="Something went wrong on this page">
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <Button className="mt-4" onClick={() => location.reload()}>
        Load the page again
      </Button>
    </Empty>
  );
}

const routes = rootRoute.addChildren([
  homeRoute,
  storeRoute.addChildren([
    todayRoute,
    sequencesRoute,
    sequenceRoute,
    builderRoute,
    rehearseRoute,
    messagesRoute,
    peopleRoute,
    personRoute,
    leadsRoute,
    leadRoute,
    campaignsRoute,
    campaignRoute,
    offersRoute,
    whyNotRoute,
    experimentsRoute,
    learningRoute,
    riskRoute,
    operationsRoute,
    tasksRoute,
    connectionsRoute,
    notificationsRoute,
    settingsRoute,
    teamRoute,
    auditRoute,
  ]),
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree: routes,
    basepath: '/app',
    context: { client },
    defaultPreload: 'intent',
    defaultPendingMs: 300,
    defaultPendingComponent: () => (navigator.onLine ? <Loading /> : <Offline />),
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
