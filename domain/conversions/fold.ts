import { type ConversionOutcome, isPayment } from './outcome.ts';

/** One report about a click. */
export interface ClickReport {
  id: string;
  outcome: ConversionOutcome;
  /** The advertiser's id of the transaction; empty: none was given. */
  tid: string;
  /** ISO 4217; null: unknown, and then the amount is. */
  currency: string | null;
  payoutMinor: number | null;
}

/** What a click has brought in one currency. */
export interface ClickRevenue {
  /** null: the amounts are not known. */
  currency: string | null;
  minor: number | null;
  /** Whether any of it still stands. */
  stands: boolean;
}

/** How things stand with a click. */
export interface ClickStanding {
  standing: 'open' | 'converted' | 'rejected';
  revenue: ClickRevenue[];
  /** Ids of payments that were taken back. */
  reversed: ReadonlySet<string>;
}

/**
 * Fold what a tracker has reported about one click. Trackers give no times, so the order of arrival counts. A refusal takes back what was paid under
 * its transaction id; one without an id, or where no payment has an id, takes back everything. What is paid afterwards stands.
 * @param reports - in the order of their arrival, each status of a transaction once
 */
export function foldClick(reports: readonly ClickReport[]): ClickStanding {
  const reversed = new Set<string>();
  const payments: ClickReport[] = [];
  let refused = false;
  for (const report of reports) {
    if (isPayment(report.outcome)) payments.push(report);
    if (report.outcome !== 'reject') continue;
    refused = true;
    const everything = report.tid === '' || payments.every(({ tid }) => tid === '');
    for (const { id, tid } of payments) if (everything || tid === report.tid) reversed.add(id);
  }
  const standing = payments.some(({ id }) => !reversed.has(id)) ? 'converted' : refused ? 'rejected' : 'open';
  return { standing, revenue: revenueOf(payments, reversed), reversed };
}

/** One sum for each currency; amounts of different currencies are never added. */
function revenueOf(payments: readonly ClickReport[], reversed: ReadonlySet<string>): ClickRevenue[] {
  const known = ({ currency, payoutMinor }: ClickReport) => (payoutMinor === null ? null : currency);
  const currencies = [...new Set(payments.map(known))];
  return currencies.map((currency) => {
    const standing = payments.filter((payment) => known(payment) === currency && !reversed.has(payment.id));
    const minor = currency === null ? null : standing.reduce((sum, { payoutMinor }) => sum + (payoutMinor ?? 0), 0);
    return { currency, minor, stands: standing.length > 0 };
  });
}
