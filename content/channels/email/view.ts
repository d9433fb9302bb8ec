import type { CommonFacts } from '../../copy-facts.ts';
import { CopyFactsError, commonView, type CommonView } from '../../common-view.ts';
import { cleanLine } from '../../plain-text.ts';
import { webUrl } from '../../web-url.ts';
import { brandColorOf, textColorOn } from './brand-color.ts';

/** Everything that an email may say. */
export interface EmailFacts extends CommonFacts {
  /** Back to the subject, tracked or not; null: it has no page of its own and the button leads to the store. */
  subjectUrl: string | null;
  /** Absolute http(s) URL with the signed token. */
  unsubscribeUrl: string;
  /** Absolute URL of a transparent picture that reports the open; null: opens are not tracked. */
  openPixelUrl: string | null;
}

/** What email copy and its layout may use beside what every channel has. */
export interface EmailView extends CommonView {
  store: CommonView['store'] & { logoUrl: string | null; postalAddress: string; brandColor: string; brandTextColor: string };
  unsubscribeUrl: string;
  openPixelUrl: string | null;
}

/**
 * @param language - BCP 47, of the copy
 * @throws CopyFactsError where the postal address, the unsubscribe link or the store's address is missing
 */
export function emailView(facts: EmailFacts, language: string): EmailView {
  const view = commonView(facts, { subject: facts.subjectUrl }, language);
  const unsubscribeUrl = webUrl(facts.unsubscribeUrl);
  if (unsubscribeUrl === null) throw new CopyFactsError('bad_unsubscribe_url', 'The unsubscribe link is no http(s) address.');
  const postalAddress = postalLine(facts.store.postalAddress);
  if (postalAddress === null) throw new CopyFactsError('missing_postal_address', 'The store has no postal address; emails must show one (CAN-SPAM).');
  const brandColor = brandColorOf(facts.store.brandColor);
  return {
    ...view,
    store: { ...view.store, logoUrl: webUrl(facts.store.logoUrl), postalAddress, brandColor, brandTextColor: textColorOn(brandColor) },
    unsubscribeUrl,
    openPixelUrl: webUrl(facts.openPixelUrl),
  };
}

function postalLine(value: string): string | null {
  const lines = value.split(/[\r\n]+/).map((line) => cleanLine(line.replace(/,\s*$/, ''), 120));
  const joined = lines.filter((line) => line !== null).join(', ');
  return joined === '' ? null : joined;
}
