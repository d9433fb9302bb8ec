import { startAnswerBudget } from '../answer-budget.ts';
import type { Deps } from '../deps.ts';
import { isDescending, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { connection } from './connection.ts';
import { delivery } from './delivery.ts';
import { endpoint } from './endpoint.ts';
import { type ParkedAction, type ParkedDone, type ParkedItem, type ParkedKind, type ParkedKindName, parkedKinds, type ParkedWish } from './kind.ts';
import { notification } from './notification.ts';
import { outcome } from './outcome.ts';
import { sequence } from './sequence.ts';

export { type ParkedAction, parkedActions, type ParkedDone, type ParkedItem, type ParkedKindName, parkedKinds } from './kind.ts';

const kinds: Readonly<Record<ParkedKindName, ParkedKind>> = { connection, sequence, delivery, outcome, endpoint, notification };

/** `delivery:0198…`: an item of any kind by one text. */
export const parkedId = ({ kind, id }: Pick<ParkedItem, 'kind' | 'id'>) => `${kind}:${id}`;

/** @returns null for a text that names no item */
function readParkedId(text: string): { kind: ParkedKindName; id: string } | null {
  const [, name, id = ''] = /^([a-z]+):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? [];
  const kind = parkedKinds.find((known) => known === name);
  return kind === undefined ? null : { kind, id };
}

/**
 * What cannot go on by itself, kind by kind, and in each the oldest first.
 * @param page - `after`: the `parkedId` of the last item of the page before
 */
export async function listParked(
  deps: Deps,
  tenantId: string,
  { kind, limit, after, order }: PageWanted & { kind: ParkedKindName | null },
): Promise<Page<ParkedItem>> {
  const from = after === null ? null : readParkedId(after);
  const inTurn = isDescending('oldest', { order }) ? parkedKinds.toReversed() : parkedKinds;
  const asked = inTurn.filter((name) => kind === null || name === kind);
  const rows: ParkedItem[] = [];
  for (const name of asked) {
    if (from !== null && inTurn.indexOf(name) < inTurn.indexOf(from.kind)) continue;
    const left = limit + 1 - rows.length;
    if (left > 0) rows.push(...(await kinds[name].list(deps, tenantId, { limit: left, after: from?.kind === name ? from.id : null, order })));
  }
  return pageOf(rows, limit, parkedId);
}

/** Do something about one item. What is not parked any more is `unknown`: somebody was faster, or it goes on by itself. */
export async function actOnParked(deps: Deps, action: ParkedAction, { id: text, ...wish }: ParkedWish): Promise<ParkedDone> {
  const named = readParkedId(text);
  if (named === null) return { kind: 'unknown' };
  const { kind, id } = named;
  const [item] = await kinds[kind].list(deps, wish.tenantId, { limit: 1, after: null, one: id });
  if (item === undefined) return { kind: 'unknown' };
  const act = kinds[kind].acts[action];
  if (act === undefined)
    return { kind: 'refused', code: 'not_possible', detail: `That cannot be done about a ${kind}: ${item.actions.join(' or ')} can.` };
  return act(deps, { ...wish, id });
}

export interface ParkedAll {
  /** How many were parked of that kind, as far as they were looked at. */
  matched: number;
  done: number;
  refused: { id: string; code: string; detail: string }[];
  /** There are more: ask again. */
  unfinished: boolean;
}

const atOnce = 50;

/** The same about everything of a kind that is parked now, within the time of one answer. @param dryRun - count only */
export async function actOnAllParked(
  deps: Deps,
  action: ParkedAction,
  { tenantId, kind, actor, note, dryRun }: { tenantId: string; kind: ParkedKindName; actor: string; note: string; dryRun: boolean },
): Promise<ParkedAll> {
  const budget = startAnswerBudget(deps.clock);
  const all: ParkedAll = { matched: 0, done: 0, refused: [], unfinished: false };
  for (let after: string | null = null; ; ) {
    const page: Page<ParkedItem> = await listParked(deps, tenantId, { kind, limit: atOnce, after });
    for (const item of page.items) {
      if (budget.leftMs() <= 0) return { ...all, unfinished: true };
      all.matched += 1;
      if (dryRun) continue;
      const done = await actOnParked(deps, action, { tenantId, id: parkedId(item), actor, note });
      if (done.kind === 'busy') return { ...all, unfinished: true };
      if (done.kind === 'done') all.done += 1;
      if (done.kind === 'refused') all.refused.push({ id: parkedId(item), code: done.code, detail: done.detail });
    }
    if (page.next === null) return all;
    after = page.next;
  }
}
