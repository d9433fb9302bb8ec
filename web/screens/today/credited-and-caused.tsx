import type { ReactNode } from 'react';
import type { Data, Item } from '../../../sdk/index.ts';
import { Definition } from '../../parts/figure.tsx';
import { formatMoney, formatNumber } from '../../parts/format.ts';
import { meaning } from '../../parts/meaning.ts';

type Effect = Item<'GET /api/holdouts'>['effect'];
type Money = Data<'GET /api/attribution'>['credits'][number]['revenue'][number];

/** What a sequence is credited with beside what it caused, in money, with the interval in which the truth lies. */
export function CreditedAndCaused({ effect, credited, days }: { effect: Effect; credited: readonly Money[]; days: number }) {
  if (effect.state === 'unsound') return null;
  if (effect.state === 'not_enough')
    return (
      <p className="text-xs text-soft">
        What it caused in money cannot be said yet: {formatNumber(effect.missing.treated.people + effect.missing.holdout.people)} more people and{' '}
        {formatNumber(effect.missing.treated.conversions + effect.missing.holdout.conversions)} more orders are needed.
      </p>
    );
  const [caused] = effect.revenue;
  if (caused === undefined) return null;
  const { currency, total } = caused;
  const credit = credited.find((one) => one.currency === currency)?.net_minor ?? 0;
  const { low, high } = total.interval;
  const from = Math.min(0, low, total.value);
  const span = Math.max(credit, high, total.value, 1) - from;
  const at = (minor: number) => `${(100 * (minor - from)) / span}%`;
  const bar = (minor: number) => ({ insetInlineStart: at(Math.min(0, minor)), width: `${(100 * Math.abs(minor)) / span}%` });
  const money = (minor: number) => formatMoney(minor, currency, { cents: false });
  return (
    <div className="space-y-1 pt-1">
      <Row name="Credited" means={`${meaning.credited} Orders of the last ${days} days.`} text={money(credit)}>
        <div className="absolute inset-y-0 rounded bg-line-strong" style={bar(credit)} />
      </Row>
      <Row name="Caused" means={meaning.caused} text={`${money(total.value)}, between ${money(low)} and ${money(high)}`}>
        <div className="absolute inset-y-0 rounded bg-accent" style={bar(total.value)} />
        <div className="absolute inset-y-1.5 border-x-2 border-ink" style={{ insetInlineStart: at(low), width: `${(100 * (high - low)) / span}%` }}>
          <div className="absolute inset-x-0 top-1/2 h-0.5 -translate-y-1/2 bg-ink" />
        </div>
        {from < 0 && <div className="absolute inset-y-0 w-px bg-ink" style={{ insetInlineStart: at(0) }} />}
      </Row>
    </div>
  );
}

function Row({ name, means, text, children }: { name: string; means: string; text: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[7.5rem_minmax(0,1fr)] items-center gap-x-3 gap-y-0.5 sm:grid-cols-[7.5rem_minmax(0,1fr)_9.5rem]">
      <span className="text-[0.8125rem] text-soft">
        <Definition of={name}>
          <p>{means}</p>
        </Definition>
      </span>
      <div className="relative h-5 rounded bg-sunken" aria-hidden="true">
        {children}
      </div>
      <span className="col-start-2 text-xs text-soft sm:col-start-3 sm:text-end">{text}</span>
    </div>
  );
}
