import { formatNumber, sentenceCase } from '../../parts/format.ts';
import { type Assessment, inWords } from './words.ts';

const mostShown = 8;

/** What speaks for and against their leaving: bars to the right towards being lost, to the left towards staying. */
export function Contributions({ of: { factors, basis } }: { of: Pick<Assessment, 'factors' | 'basis'> }) {
  const shown = factors.slice(0, mostShown);
  if (shown.length === 0) return <p className="text-[0.8125rem] text-soft">Nothing speaks for their leaving.</p>;
  const furthest = Math.max(...shown.map(({ weight }) => Math.abs(weight)));
  // Rules only ever speak for leaving: they need no left half.
  const zero = shown.some(({ weight }) => weight < 0) ? 50 : 0;
  const length = (weight: number) => ((100 - zero) * Math.abs(weight)) / furthest;
  return (
    <figure className="space-y-1">
      <ul>
        {shown.map(({ features, weight }) => (
          <li key={features.join(' ')} className="grid grid-cols-[minmax(0,12rem)_minmax(0,1fr)_3.5rem] items-center gap-x-3 text-[0.8125rem]">
            <span className="py-0.5">{sentenceCase(features.map(inWords).join(' with '))}</span>
            <svg viewBox="0 0 100 20" preserveAspectRatio="none" className="block h-5 w-full" aria-hidden="true">
              <rect
                x={weight < 0 ? zero - length(weight) : zero}
                width={Math.max(0.5, length(weight))}
                y="5"
                height="10"
                className={weight < 0 ? 'fill-good' : 'fill-bad'}
              />
              <line x1={zero} x2={zero} y1="0" y2="20" className="stroke-ink" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
            </svg>
            <span className="text-end text-soft">{`${weight > 0 ? '+' : ''}${formatNumber(Number(weight.toFixed(2)))}`}</span>
          </li>
        ))}
      </ul>
      <figcaption className="text-xs text-soft">
        {basis === 'chance'
          ? 'Red towards leaving, green towards staying; in steps of the logarithm of the odds, which add up to the chance.'
          : 'How much each rule of thumb adds to the rank. They add up to it.'}
        {factors.length > mostShown && ` The ${formatNumber(factors.length - mostShown)} lightest are left out.`}
      </figcaption>
    </figure>
  );
}
