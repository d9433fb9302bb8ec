import { Badge } from '../../parts/badge.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatMoney, formatNumber, formatShare, plain, sentenceCase } from '../../parts/format.ts';
import type { Experiment } from './verdict.ts';

/** What each variant keeps of its orders per person, beside the first one. It names no winner. */
export function Revenue({ of: { comparisons } }: { of: Experiment }) {
  const rows = comparisons.flatMap(({ variant, against, revenue }) => revenue.map((one) => ({ variant, against, ...one })));
  if (rows.length === 0) return null;
  return (
    <div className="mt-3 text-[0.8125rem]">
      <Definition of="Revenue per person">
        <p>
          Orders less refunds of everybody whose time to order is over, those without an order as nothing. The difference lies in the span 95 times of
          100, at every look. Where the span crosses zero, nothing is certain. It names no winner.
        </p>
      </Definition>
      <ul className="mt-1 space-y-0.5">
        {rows.map(({ variant, against, currency, per_person_minor: each, always_within_minor: within }) => (
          <li key={`${variant} ${against} ${currency}`}>
            {`${variant} ${formatMoney(each.variant, currency)}, ${against} ${formatMoney(each.against, currency)}: `}
            <span className={within.low > 0 || within.high < 0 ? 'font-medium' : 'text-soft'}>
              {`${formatMoney(within.low, currency)} to ${formatMoney(within.high, currency)} per person`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What a test must not make worse: opt-outs, complaints, refunds. */
export function Guardrails({ of: { guardrails, arms }, label }: { of: Experiment; label: string }) {
  if (guardrails.length === 0) return null;
  const metrics = [...new Set(guardrails.map(({ metric }) => metric))];
  return (
    <div className="mt-3 overflow-x-auto text-[0.8125rem]" role="region" aria-label={`What must not get worse, ${label}`} tabIndex={0}>
      <table className="w-full">
        <thead className="text-xs text-soft">
          <tr>
            <th scope="col" className="py-1 pe-3 text-start font-medium">
              <Definition of="Must not get worse">
                <p>
                  People who closed a channel themselves, complained, or had an order refunded or cancelled. A variant is worse only where that is
                  certain at every look, for all variants and figures together; then it wins nothing, and is taken out by itself unless the store says
                  otherwise.
                </p>
              </Definition>
            </th>
            {metrics.map((metric) => (
              <th key={metric} scope="col" className="py-1 ps-3 text-end font-medium">
                {sentenceCase(plain(metric))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-y border-line">
          {arms.map(({ variant }) => (
            <tr key={variant}>
              <th scope="row" className="py-1 pe-3 text-start font-medium">
                {variant}
              </th>
              {metrics.map((metric) => {
                const one = guardrails.find((row) => row.metric === metric && row.variant === variant);
                return (
                  <td key={metric} className="py-1 ps-3 text-end">
                    {one === undefined ? (
                      '–'
                    ) : (
                      <>
                        {one.worse && <Badge tone="bad">worse</Badge>} {formatNumber(one.cases)}{' '}
                        {one.people > 0 && <span className="text-soft">{formatShare(one.cases / one.people)}</span>}
                      </>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
