import type { Claims } from '../domain/claims/index.ts';
import type { ViewTools } from '../domain/subjects/kind.ts';
import { formatDate } from './dates.ts';
import { formatMoney } from './money.ts';
import { dateTimeFormat, numberFormat } from './intl-formats.ts';
import { isolate } from './plain-text.ts';

/** What claims print, each null where it does not hold. Names are added, never renamed or removed. */
export interface ClaimsView {
  lowStock: { title: string; left: number } | null;
  priceDrop: { title: string; before: string; now: string; saved: string } | null;
  reviews: { productTitle: string; average: string; count: string; quote: string | null; author: string | null } | null;
  /** `trigger`: `price_change`, `rate_change`, `new_sales_nearby` or `seasonal`. */
  market: { area: string; statement: string; date: string; trigger: string } | null;
  /** Date and time in the person's zone, the time with its name. */
  offerEnd: { name: string | null; date: string; time: string } | null;
}

export const nothingClaimed: ClaimsView = { lowStock: null, priceDrop: null, reviews: null, market: null, offerEnd: null };

/** How values are written for the reader. */
interface Written {
  locale: string;
  direction: 'ltr' | 'rtl';
  /** IANA, the person's. */
  timeZone: string;
  line: ViewTools['line'];
}

/** What may be claimed, as texts print it. */
export function claimsView(claims: Claims, written: Written): ClaimsView {
  return {
    lowStock: lowStockOf(claims, written),
    priceDrop: priceDropOf(claims, written),
    reviews: reviewsOf(claims, written),
    market: marketOf(claims, written),
    offerEnd: offerEndOf(claims, written),
  };
}

function lowStockOf({ stock }: Claims, { line }: Written): ClaimsView['lowStock'] {
  const title = stock.holds ? line(stock.value.title, 80) : null;
  return stock.holds && title !== null ? { title, left: stock.value.left } : null;
}

function priceDropOf({ price_drop: drop }: Claims, { line, locale, direction }: Written): ClaimsView['priceDrop'] {
  if (!drop.holds) return null;
  const { title, beforeMinor, nowMinor, currency } = drop.value;
  const money = (minor: number) => formatMoney(minor, currency, locale, direction);
  const [name, before, now, saved] = [line(title, 80), money(beforeMinor), money(nowMinor), money(beforeMinor - nowMinor)];
  return name === null || before === null || now === null || saved === null ? null : { title: name, before, now, saved };
}

function reviewsOf({ reviews }: Claims, { line, locale }: Written): ClaimsView['reviews'] {
  const productTitle = reviews.holds ? line(reviews.value.title, 80) : null;
  if (!reviews.holds || productTitle === null) return null;
  const { average, count, quote, author } = reviews.value;
  return {
    productTitle,
    average: numberFormat(locale, { maximumFractionDigits: 1 }).format(average),
    count: numberFormat(locale).format(count),
    quote: line(quote, 280),
    author: line(author, 60),
  };
}

function marketOf({ market }: Claims, { line, locale, direction }: Written): ClaimsView['market'] {
  if (!market.holds) return null;
  const [area, statement] = [line(market.value.area, 80), line(market.value.statement, 300)];
  const date = formatDate(market.value.date, 'long', { locale, direction, timeZone: 'UTC' });
  return area === null || statement === null || date === null ? null : { area, statement, date, trigger: market.value.trigger };
}

function offerEndOf({ offer_end: offer }: Claims, { line, locale, direction, timeZone }: Written): ClaimsView['offerEnd'] {
  if (!offer.holds) return null;
  const { name, endsAtMs } = offer.value;
  const date = formatDate(endsAtMs, 'long', { locale, direction, timeZone });
  const time = dateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone }).format(endsAtMs);
  return date === null ? null : { name: line(name, 100), date, time: isolate(time, direction) };
}
