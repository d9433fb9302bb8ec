import type pg from 'pg';

type Row = Record<string, unknown>;
interface Assigned {
  kind: 'holdout' | 'variant' | 'test';
  scope: string;
  step: string;
  id: string;
  contact: string;
  person: string;
  variant: string;
  shares: Record<string, number>;
  at: number;
}
interface Order {
  person: string;
  placed: number;
  reversed: boolean;
  counts: boolean;
  refunded: boolean;
  currency: string | null;
  net: number;
}
interface Letter {
  person: string;
  sequence: string;
  step: string;
  experiment: string | null;
  variant: string | null;
  made: number;
  opened: boolean;
  clicked: boolean;
}

/** The rows that arms are counted from, all of them, as they are in one snapshot. */
export interface ArmRows {
  assigned: Assigned[];
  orders: Order[];
  refusals: { person: string; at: number; closed: boolean }[];
  letters: Letter[];
  enrollments: { id: string; sequence: string; contact: string; account: string }[];
  behaviours: { account: string; kind: string; at: number; amount: number | null; currency: string | null; answered: boolean }[];
}

export async function readArmRows(client: pg.ClientBase, tenantId: string): Promise<ArmRows> {
  const all = async <T>(text: string) => (await client.query<T & Row>(text, [tenantId])).rows;
  const ms = (column: string) => `extract(epoch from ${column})::float8 * 1000`;
  return {
    assigned: await all<Assigned>(
      `select a.*, c.person_id as person from (
         select tenant_id, 'holdout' as kind, sequence_id as scope, '' as step, id, contact_id as contact, arm as variant, jsonb_build_object('holdout', share) as shares, ${ms('assigned_at')} as at from assignments
         union all select tenant_id, 'variant', sequence_id, step_id, id, contact_id, variant, shares, ${ms('assigned_at')} from variant_assignments
         union all select tenant_id, 'test', experiment_id, '', id, contact_id, variant, '{}', ${ms('assigned_at')} from experiment_assignments) a
       join contacts c on c.id = a.contact where a.tenant_id = $1`,
    ),
    orders: await all<Order>(
      `select c.person_id as person, ${ms('placed_at')} as placed, reversed_at is not null as reversed, no_revenue is null as counts, refunded_minor > 0 as refunded, currency,
         case when reversed_at is null then greatest(0, value_minor - refunded_minor) else 0 end::float8 as net
       from conversions o join contacts c on c.id = o.contact_id where o.tenant_id = $1`,
    ),
    refusals: await all(
      `select c.person_id as person, ${ms('n.occurred_at')} as at, c.lifecycle = 'DO_NOT_CONTACT' as closed
       from consents n join contacts c on c.id = n.contact_id where n.tenant_id = $1 and n.state = 'denied' and n.basis = 'person'`,
    ),
    letters: await all<Letter>(
      `select c.person_id as person, e.sequence_id as sequence, m.step_id as step, m.experiment_id as experiment, m.variant, ${ms('m.created_at')} as made, m.opened_at is not null as opened,
         m.clicked_at is not null as clicked
       from messages m join enrollments e on e.id = m.enrollment_id join contacts c on c.id = e.contact_id where m.tenant_id = $1 and m.state = 'sent'`,
    ),
    enrollments: await all(
      'select id, sequence_id as sequence, contact_id as contact, subject_id as account from enrollments where tenant_id = $1 order by id',
    ),
    behaviours: await all(
      `select subject_id as account, kind, ${ms('occurred_at')} as at, (data ->> 'amount')::float8 as amount, data ->> 'currency' as currency,
         coalesce((data ->> 'answered')::boolean, false) as answered
       from behaviours where tenant_id = $1`,
    ),
  };
}

/** Of several assignments of a person the first counts. */
export function firstsOf(rows: ArmRows, kind: Assigned['kind'], scope: string, step: string): Assigned[] {
  const own = rows.assigned.filter((one) => one.kind === kind && one.scope === scope && one.step === step);
  return own.filter((one) => own.every((other) => other.person !== one.person || other.at > one.at || (other.at === one.at && other.id >= one.id)));
}

export interface SlowArm {
  people: number;
  complete: number;
  converted: number;
  optOuts: number;
  complaints: number;
  refunds: number;
  sent: number;
  opened: number;
  clicked: number;
  revenue: { currency: string; sum: number; squares: number }[];
}

/** The truth about arms: every row is read, and each is counted where rules 23, 35 and 124 say. Shares nothing with `db/functions/figures_of_arms.sql`. */
export function countArmsSlowly(
  rows: ArmRows,
  assigned: readonly Assigned[],
  { windowMs, nowMs, cancelledCount }: { windowMs: number; nowMs: number; cancelledCount: boolean },
): Record<string, SlowArm> {
  const arms: Record<string, SlowArm> = {};
  for (const { variant, person, at, step, scope } of assigned) {
    const arm = (arms[variant] ??= {
      ...{ people: 0, complete: 0, converted: 0, optOuts: 0, complaints: 0, refunds: 0, sent: 0, opened: 0, clicked: 0, revenue: [] },
    });
    const isIn = (time: number) => time > at && time <= at + windowMs;
    const own = rows.orders.filter((order) => order.person === person && isIn(order.placed));
    const no = rows.refusals.filter((one) => one.person === person && isIn(one.at));
    arm.people += 1;
    arm.optOuts += Number(no.length > 0);
    arm.complaints += Number(no.some(({ closed }) => closed));
    arm.refunds += Number(own.some(({ reversed, refunded }) => reversed || refunded));
    if (step === '*')
      for (const letter of rows.letters.filter((one) => one.person === person && one.sequence === scope && one.made >= at - 60_000)) {
        arm.sent += 1;
        arm.opened += Number(letter.opened);
        arm.clicked += Number(letter.clicked);
      }
    if (at + windowMs > nowMs) continue;
    arm.complete += 1;
    arm.converted += Number(own.some(({ counts, reversed }) => counts && (cancelledCount || !reversed)));
    const revenue = own.filter(({ counts, currency }) => counts && currency !== null);
    addAmounts(
      arm.revenue,
      revenue.map(({ currency, net }) => ({ currency: currency ?? '', amount: net })),
    );
  }
  for (const arm of Object.values(arms)) arm.revenue = tidy(arm.revenue);
  return arms;
}

/** Of the people of a sequence about risk: whose accounts stayed, and what they bought. */
export function countBandSlowly(
  rows: ArmRows,
  sequence: string,
  { what, withinMs, nowMs }: { what: string; withinMs: number; nowMs: number },
): Record<string, { complete: number; stayed: number; revenue: SlowArm['revenue'] }> {
  const arms: Record<string, { complete: number; stayed: number; revenue: SlowArm['revenue'] }> = {};
  for (const { variant, contact, at } of firstsOf(rows, 'holdout', sequence, '')) {
    const enrollment = rows.enrollments.find((one) => one.sequence === sequence && one.contact === contact);
    if (enrollment === undefined || at + withinMs > nowMs || at <= nowMs - 365 * 86_400_000) continue;
    const own = rows.behaviours.filter((one) => one.account === enrollment.account && one.at > at && one.at <= at + withinMs);
    const arm = (arms[variant] ??= { complete: 0, stayed: 0, revenue: [] });
    arm.complete += 1;
    arm.stayed += Number(
      own.some(({ kind, answered }) => (what === 'no_purchase' ? kind === 'order' : kind === 'message' || (kind === 'call' && answered))),
    );
    const paid = own.filter(({ kind, amount, currency }) => kind === 'order' && amount !== null && currency !== null);
    addAmounts(
      arm.revenue,
      paid.map(({ amount, currency }) => ({ currency: currency ?? '', amount: amount ?? 0 })),
    );
  }
  for (const arm of Object.values(arms)) arm.revenue = tidy(arm.revenue);
  return arms;
}

/** One sum for the person, squared as well. */
function addAmounts(revenue: SlowArm['revenue'], amounts: readonly { currency: string; amount: number }[]): void {
  for (const currency of new Set(amounts.map((one) => one.currency))) {
    const net = amounts.filter((one) => one.currency === currency).reduce((sum, { amount }) => sum + amount, 0);
    const known = revenue.find((one) => one.currency === currency);
    if (known === undefined) revenue.push({ currency, sum: net, squares: net * net });
    else Object.assign(known, { sum: known.sum + net, squares: known.squares + net * net });
  }
}

const tidy = (revenue: SlowArm['revenue']) => revenue.filter(({ sum }) => sum !== 0).toSorted((a, b) => a.currency.localeCompare(b.currency));
