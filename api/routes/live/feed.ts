import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { readAnalytics } from '../../../operations/read/analytics.ts';
import { readNewestStories, readNews, type Story } from '../../../operations/read/live-stories.ts';
import { countQuarantine } from '../../../operations/read/quarantine.ts';
import type { WorkflowLinks } from '../workflow-links.ts';
import { latenessNotice } from './lateness-html.ts';
import { quarantineNotice } from './quarantine-html.ts';
import { figuresHtml, type StoreState, storeHtml, storyHtml } from './story-html.ts';

/** An update for open pages: markup and where it belongs. */
export type Update =
  | { kind: 'everything'; html: string }
  | { kind: 'story'; list: string; id: string; html: string }
  /** A part of a store's head: its figures, or what it warns of. */
  | { kind: 'part'; id: string; html: string };

/** What happens in every store of this installation, as it happens. One poller per process, and only while a page is open. */
export interface Feed {
  everything(): Promise<string>;
  /** @returns how to stop listening. `end` is called when there will be nothing more */
  listen(tell: (update: Update) => void, end: () => void): () => void;
  close(): void;
}

const everyMs = 1_000;
/** A transaction commits later than its rows got their ids: read this far back, and remember what was shown. */
const lookBackMs = 10_000;
const storiesPerStore = 25;

type TenantSummary = Story['tenant'];

export function createFeed(deps: BuiltDeps, workflows: WorkflowLinks): Feed {
  const listeners = new Map<(update: Update) => void, () => void>();
  const told = new Map<string, number>();
  /** By store, the warning that the pages show. */
  const notices = new Map<string, string>();
  let timer: NodeJS.Timeout | null = null;
  let failing = false;
  let notice = '';

  const stateOf = async (tenant: TenantSummary): Promise<StoreState> => ({
    id: tenant.id,
    name: tenant.name,
    synthetic: tenant.synthetic,
    timeScale: deps.timeScale ?? tenant.timeScale,
    stories: await readNewestStories(deps, tenant, storiesPerStore),
    today: await readAnalytics(deps, tenant.id, 1),
    quarantine: await countQuarantine(deps, tenant.id),
  });

  const noticeOf = async (tenant: TenantSummary): Promise<Update[]> => {
    const html = quarantineNotice(await countQuarantine(deps, tenant.id))?.text ?? '';
    if (notices.get(tenant.id) === html) return [];
    notices.set(tenant.id, html);
    return [{ kind: 'part', id: `q-${tenant.id}`, html }];
  };

  const newsOf = async (tenant: TenantSummary, nowMs: number): Promise<Update[]> => {
    const news = await readNews(deps, tenant, { sinceMs: nowMs - lookBackMs, told: new Set(told.keys()), limit: storiesPerStore });
    for (const id of news.eventIds) told.set(id, nowMs);
    if (news.stories.length === 0) return [];
    const stories = news.stories.map((story): Update => {
      const { text } = storyHtml(story, workflows);
      return { kind: 'story', list: `l-${tenant.id}`, id: `s-${story.enrollmentId}`, html: text };
    });
    // Oldest first: each goes to the top of its list.
    return [
      ...stories.toReversed(),
      { kind: 'part', id: `f-${tenant.id}`, html: figuresHtml(deps.subjects, await readAnalytics(deps, tenant.id, 1)).text },
    ];
  };

  const readNotice = async () => latenessNotice(await deps.db.lateSteps(60_000))?.text ?? '';

  const noticeUpdate = async (): Promise<Update[]> => {
    const before = notice;
    notice = await readNotice();
    return before === notice ? [] : [{ kind: 'part', id: 'lateness', html: notice }];
  };

  const publish = (updates: Update[]) => {
    for (const update of updates) for (const tell of listeners.keys()) tell(update);
  };

  const forgetShown = (beforeMs: number) => {
    for (const [id, atMs] of told) if (atMs < beforeMs) told.delete(id);
  };

  const poll = async (): Promise<void> => {
    const nowMs = deps.clock.nowMs();
    try {
      publish(await noticeUpdate());
      for (const tenant of await deps.db.listTenants()) publish([...(await noticeOf(tenant)), ...(await newsOf(tenant, nowMs))]);
      forgetShown(nowMs - 2 * lookBackMs);
      failing = false;
    } catch (error) {
      // Log only the first failure of a series; the pages stay connected.
      if (!failing) deps.log.warn({ err: error }, 'the live page cannot be fed right now');
      failing = true;
    }
  };

  const pollAgain = () => {
    timer = setTimeout(() => {
      void poll().then(() => {
        if (listeners.size > 0) pollAgain();
        else timer = null;
      });
    }, everyMs);
  };

  return {
    async everything() {
      const stores: StoreState[] = [];
      // The real store comes first: below a busy demo store nobody would find it.
      const tenants = (await deps.db.listTenants()).toSorted((a, b) => Number(a.synthetic) - Number(b.synthetic));
      for (const tenant of tenants) stores.push(await stateOf(tenant));
      // Sent with the stores, so that a page that reconnects shows no outdated notice.
      return [
        `<div id="lateness" role="status">${await readNotice()}</div>`,
        ...stores.map((store) => storeHtml(deps.subjects, store, workflows).text),
      ].join('\n');
    },
    listen(tell, end) {
      listeners.set(tell, end);
      if (timer === null) pollAgain();
      return () => void listeners.delete(tell);
    },
    close() {
      for (const end of listeners.values()) end();
      listeners.clear();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
