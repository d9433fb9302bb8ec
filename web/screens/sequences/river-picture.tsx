import type { ReactNode } from 'react';
import { formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { seriesColours, seriesFills as allFills } from '../../parts/series.ts';
import { type Exit, peopleIn, type River, type Stretch } from './river.ts';

export type RiverExit = 'CONVERTED' | 'EXITED' | 'COMPLETED' | 'ACTIVE';

/** Which people a branch of the river stands for. */
export interface Branch {
  status: RiverExit;
  reason?: string;
  /** The last message before they left; `-`: they left before any. */
  step?: string;
}

// Without the first, which is the colour of the river.
const [colours, fills] = [seriesColours.slice(1), allFills.slice(1)];
const grid = 'grid grid-cols-[7rem_minmax(0,1fr)_8rem] gap-x-3 sm:grid-cols-[10rem_minmax(0,1fr)_12rem]';

/**
 * Drawn from the top: the width is people, and what leaves to the side is who bought and who ended otherwise, each reason in its colour. Below, by the same measure,
 * why they ended in all.
 */
export function RiverPicture({ river: { stretches, completed, running, exits }, onOpen }: { river: River; onOpen: (branch: Branch) => void }) {
  const all = Math.max(1, stretches[0]?.people ?? 0);
  const placeOf = (reason: string) =>
    Math.min(
      exits.findIndex((exit) => exit.reason === reason),
      colours.length - 1,
    );
  return (
    <div className="overflow-hidden">
      {stretches.map((stretch) => (
        <Row key={stretch.step ?? ''} all={all} stretch={stretch} placeOf={placeOf} onOpen={onOpen} />
      ))}
      <div className={`${grid} items-center pt-2`}>
        <span className="text-[0.8125rem] text-soft">At the end</span>
        <span className="col-span-2 flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem]">
          {running > 0 && (
            <BranchButton onClick={() => onOpen({ status: 'ACTIVE' })} colour="bg-accent">
              {`${formatNumber(running)} under way`}
            </BranchButton>
          )}
          {completed > 0 && (
            <BranchButton onClick={() => onOpen({ status: 'COMPLETED' })} colour="bg-line-strong">
              {`${formatNumber(completed)} got everything`}
            </BranchButton>
          )}
        </span>
      </div>
      {exits.length > 0 && <Exits all={all} exits={exits} placeOf={placeOf} onOpen={onOpen} />}
    </div>
  );
}

type PlaceOf = (reason: string) => number;

function Exits({ all, exits, placeOf, onOpen }: { all: number; exits: readonly Exit[]; placeOf: PlaceOf; onOpen: (branch: Branch) => void }) {
  return (
    <section aria-label="Why they ended" className="mt-4 border-t border-line pt-3">
      <div className={`${grid} items-center`}>
        <h3 className="text-[0.8125rem] font-medium">Why they ended</h3>
        <div className="flex h-4" aria-hidden="true">
          {exits.map(({ reason, people }) => (
            <div
              key={reason}
              title={`${sentenceCase(plain(reason))}: ${formatNumber(people)}`}
              className={`min-w-1 border-e border-surface ${colours[placeOf(reason)]}`}
              style={{ width: `${(100 * people) / all}%` }}
            />
          ))}
        </div>
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem] sm:ps-43">
        {exits.map(({ reason, people }) => (
          <li key={reason}>
            <BranchButton onClick={() => onOpen({ status: 'EXITED', reason })} colour={colours[placeOf(reason)]}>
              {`${formatNumber(people)} ${plain(reason)}`}
            </BranchButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

const height = 72;

function Row({
  all,
  stretch: { step, people, bought, ended },
  placeOf,
  onOpen,
}: {
  all: number;
  stretch: Stretch;
  placeOf: PlaceOf;
  onOpen: (branch: Branch) => void;
}) {
  const x = (count: number) => (100 * count) / all;
  const left = peopleIn(ended);
  const [from, to] = [x(people), x(Math.max(0, people - bought - left))];
  const middle = height / 2;
  // A band to the side is as thick as it is wide where it leaves, and thick enough to be seen.
  const thick = (count: number) => Math.max(3, (count / all) * height * 0.9);
  // The bands do not cross: who stays nearest to the river leaves lowest.
  let begins = to + x(bought);
  let at = middle - 10 + thick(bought) / 2 + 2;
  const bands = ended.map(({ reason, people: count }) => {
    const band = { reason, from: begins, to: begins + x(count), at: at + thick(count) / 2, thick: thick(count) };
    begins = band.to;
    at += thick(count) + 1;
    return band;
  });
  const behind = step ?? '-';
  return (
    <div className={`${grid} items-center`}>
      <div className="min-w-0 text-[0.8125rem]">
        <div className="truncate font-medium" title={step ?? 'Before any message'}>
          {step === null ? 'Before any message' : plain(step)}
        </div>
        <div className="text-soft">{formatNumber(people)} still in</div>
      </div>
      <div className="relative min-h-18 self-stretch">
        <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" className="absolute inset-0 size-full rtl:-scale-x-100" aria-hidden="true">
          <path d={`M0 0H${from}C${from} ${middle} ${to} ${middle} ${to} ${height}H0Z`} className="fill-accent/35" />
          {bands.map(({ reason, ...band }) => (
            <Band key={reason} {...band} className={fills[placeOf(reason)] ?? ''} />
          ))}
          {bought > 0 && <Band from={to} to={to + x(bought)} at={middle - 10} thick={thick(bought)} className="fill-good" />}
        </svg>
      </div>
      <div className="space-y-1 py-1 text-[0.8125rem]">
        {bought > 0 && (
          <BranchButton onClick={() => onOpen({ status: 'CONVERTED', step: behind })} colour="bg-good">
            {`${formatNumber(bought)} bought`}
          </BranchButton>
        )}
        {ended.map(({ reason, people: count }) => (
          <BranchButton key={reason} onClick={() => onOpen({ status: 'EXITED', reason, step: behind })} colour={colours[placeOf(reason)]}>
            {`${formatNumber(count)} ${plain(reason)}`}
          </BranchButton>
        ))}
      </div>
    </div>
  );
}

/** From the top of the row to its side. */
function Band({ from, to, at, thick, className }: { from: number; to: number; at: number; thick: number; className: string }) {
  const [above, below] = [at - thick / 2, at + thick / 2];
  const width = Math.max(to - from, 0.6);
  return (
    <path
      d={`M${from} 0H${from + width}C${from + width} ${above} ${from + width + 4} ${above} 100 ${above}V${below}C${from} ${below} ${from} ${below} ${from} 0Z`}
      className={className}
    />
  );
}

function BranchButton({ onClick, colour = '', children }: { onClick: () => void; colour: string | undefined; children: ReactNode }) {
  return (
    <button type="button" onClick={onClick} className="flex items-center gap-1.5 rounded text-start hover:underline pointer-coarse:min-h-8">
      <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${colour}`} />
      {children}
    </button>
  );
}
