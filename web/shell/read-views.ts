/** A page of a store with its filter. */
export interface SavedView {
  name: string;
  /** Its address in the browser, from `/app/` on. */
  href: string;
}

export const viewsKey = (slug: string): string => `rekindle.views.${slug}`;

/** What a browser has kept, without what is no view of the store. */
export function readViews(stored: string | null, slug: string): readonly SavedView[] {
  if (stored === null) return [];
  try {
    const found: unknown = JSON.parse(stored);
    return Array.isArray(found) ? found.filter((one) => isView(one, slug)) : [];
  } catch {
    return [];
  }
}

/** Whatever stands in the store of a browser may be changed by hand: an address must stay within the store's pages. */
const isView = (one: unknown, slug: string): one is SavedView =>
  typeof one === 'object' &&
  one !== null &&
  'name' in one &&
  typeof one.name === 'string' &&
  'href' in one &&
  typeof one.href === 'string' &&
  (one.href.startsWith(`/app/${slug}/`) || one.href.startsWith(`/app/${slug}?`));
