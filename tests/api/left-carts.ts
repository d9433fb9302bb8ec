import { inject } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { firstKey, issueKey } from '../../operations/api-keys.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { publishPresets } from '../../operations/publish-presets.ts';
import { aCart, letTimePass, type Shop } from '../helpers/shop.ts';

const hourMs = 3_600_000;

/** A cart that was left an hour ago: its sequence has begun and no email went out yet. Needs a shop at `timeScale: 1`. @returns the enrollment's id */
export async function leaveCart(shop: Shop, cartId: string, email: string, more: Record<string, unknown> = {}): Promise<string> {
  await shop.post('cart.updated', aCart(cartId, email, more));
  const enrollment = await shop.enrollmentOf(cartId);
  if (enrollment === null) throw new Error(`no enrollment for ${cartId}`);
  await letTimePass(shop, hourMs + 1_000);
  await dispatch(shop, enrollment.id, 'popup_1h');
  return enrollment.id;
}

/** One hour later the first email goes out. @returns the tokens of its links */
export async function sendFirstMail(
  shop: Shop,
  enrollmentId: string,
): Promise<{ messageId: string; open: string; click: string; unsubscribe: string }> {
  await letTimePass(shop, hourMs + 1_000);
  await dispatch(shop, enrollmentId, 'email_2h');
  const message = (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === 'email_2h');
  const html = message?.payload?.channel === 'email' ? message.payload.html : '';
  const token = (path: string) => new RegExp(`/${path}/([\\w-]+)`).exec(html)?.[1];
  const [open, click, unsubscribe] = [token('o'), token('c'), token('u')];
  if (message?.state !== 'sent' || open === undefined || click === undefined || unsubscribe === undefined)
    throw new Error(`no mail with links: ${message?.state}`);
  return { messageId: message.id, open, click, unsubscribe };
}

export const dispatch = (shop: Shop, enrollmentId: string, stepId: string) =>
  dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });

/** Another store of the same installation. @returns its API key */
export async function anotherStore(shop: Shop, slug: string): Promise<{ tenantId: string; apiKey: string }> {
  const { tenantId } = await provisionTenant(shop.deps, {
    slug,
    name: 'Another Store',
    timeScale: 1,
    synthetic: false,
    settings: { requestsPerMinute: 600_000 },
  });
  await publishPresets(shop.deps, inject('presets'));
  return { tenantId, apiKey: (await issueKey(shop.deps, tenantId, firstKey, 'test')).apiKey };
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Every item of a list, page by page. */
export async function askAll<T>(shop: Shop, apiKey: string, url: string): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await ask(shop, apiKey, cursor === null ? url : `${url}${url.includes('?') ? '&' : '?'}cursor=${cursor}`);
    if (page.status !== 200) throw new Error(`${url} answered ${page.status}: ${JSON.stringify(page.body)}`);
    const { data, nextCursor } = page.body as { data: T[]; nextCursor: string | null };
    found.push(...data);
    if (nextCursor === null) return found;
    cursor = nextCursor;
  }
}

/** Request with an API key. */
export async function ask(shop: Shop, apiKey: string, url: string, method: Method = 'GET', payload?: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${apiKey}` };
  const response = await shop.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, headers: response.headers, body: response.body === '' ? null : response.json<unknown>() };
}
