import { eq } from 'drizzle-orm';
import { sequences, sequenceVersions } from '../../../db/schema/index.ts';
import { currentProgress } from '../../../operations/current-progress.ts';
import { storeDraft } from '../../../operations/versions/draft.ts';
import { publishDraft, type Published, type RunningChoice } from '../../../operations/versions/publish.ts';
import type { Shop } from '../../helpers/shop.ts';

// Its own words for every step: translations of the preset's are of other words, and go with them.
const popup = '---\nheading: Hello\ncta: Go on\nclose: Not now\n---\nIt waits.\n';
const email = '---\nsubject: Hello\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n';

/** A cart sequence of emails by id and distance from the anchor, such as `{ email_2h: '2h' }`; `popup_1h` is the pop-up of the preset. */
const cartYaml = (steps: Record<string, string>, more = '') =>
  `sequence: cart\nname: Cart recovery\non: cart.abandoned\n${more}steps:\n${Object.entries(steps)
    .map(
      ([id, at]) =>
        `  - { id: ${id}, at: ${at}, ${id.startsWith('popup') ? 'channel: onsite, content: cart/popup_1h' : `channel: email, content: cart/${id}`} }\n`,
    )
    .join('')}`;

/** Publish the next version of `cart`. @returns its number */
export async function publishNext(shop: Shop, steps: Record<string, string>, running: RunningChoice | null, more = ''): Promise<number> {
  const published = await tryPublish(shop, steps, running, more);
  if (published.kind !== 'published') throw new Error(`not published: ${JSON.stringify(published)}`);
  return published.version;
}

export async function tryPublish(shop: Shop, steps: Record<string, string>, running: RunningChoice | null, more = ''): Promise<Published> {
  await draftNext(shop, steps, more);
  const { tenantId } = shop.tenant;
  return publishDraft(shop.deps, { tenantId, slug: 'cart', baseVersion: await versionInUse(shop), running, actor: 'test', draftHash: null });
}

/** Store the draft of the next version of `cart`. */
export async function draftNext(shop: Shop, steps: Record<string, string>, more = ''): Promise<void> {
  const { tenantId } = shop.tenant;
  const copy = Object.fromEntries(Object.keys(steps).map((id) => (id.startsWith('popup') ? ['cart/popup_1h.onsite', popup] : [`cart/${id}`, email])));
  const stored = await storeDraft(shop.deps, { tenantId, slug: 'cart', source: { yaml: cartYaml(steps, more), copy }, actor: 'test' });
  if (stored.kind !== 'stored') throw new Error(`not stored: ${JSON.stringify(stored)}`);
}

export async function versionInUse(shop: Shop): Promise<number> {
  const [found] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ version: sequenceVersions.version })
      .from(sequences)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(sequences.slug, 'cart')),
  );
  return found?.version ?? 0;
}

/** What a workflow that was woken reads. @param version - of the plan that it has */
export const wake = (shop: Shop, enrollmentId: string, version: number) =>
  currentProgress(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, version });
