import type { ReactNode } from 'react';
import { formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { seriesColours } from '../../parts/series.ts';
import type { River, Stretch } from './river.ts';

export type RiverExit = 'CONVERTED' | 'EXITED' | 'COMPLETED' | 'ACTIVE';

/**
 * Drawn from the top: the width is people, and what leaves to the side is who bought and who ended otherwise. Below, by the same measure, why they ended.
 * @param onOpen - `reason`: only those who ended by it
 */
export function RiverPicture({
  river: { stretches, completed, running, exits },
  onOpen,
}: {
  river: River;
  onOpen: (status: RiverExit, reason?: string) => void;
}) {
  const all = Math.max(1, stretches[0]?.people ?? 0);
  return (
    <div className="overflow-hidden">
      {stretches.map((stretch) => (
        <Row key={stretch.step ?? ''} all={all} stretch={stretch} onOpen={onOpen} />
      ))}
      <div className="grid grid-cols-[7rem_minmax(0,1fr)_8rem] items-center gap-x-3 pt-2 sm:grid-cols-[10rem_minmax(0,1fr)_10rem]">
        <span className="text-[0.8125rem] text-soft">At the end</span>
        <span className="flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem]">
          {running > 0 && <Exit onClick={() => onOpen('ACTIVE')} colour="bg-accent">{`${formatNumber(running)} under way`}</Exit>}
          {completed > 0 && <Exit onClick={() => onOpen('COMPLETED')} colour="bg-line-strong">{`${formatNumber(completed)} got everything`}</Exit>}
        </span>
      </div>
      {exits.length > 0 && <Exits all={all} exits={exits} onOpen={(reason) => onOpen('EXITED', reason)} />}
    </div>
  );
}

function Exits({ all, exits, onOpen }: { all: number; exits: River['exits']; onOpen: (reason: string) => void }) {
  const colourOf = (index: number) => seriesColours[Math.min(index, seriesColours.length - 1)] ?? '';
  return (
    <section aria-label="Why they ended" className="mt-4 border-t border-line pt-3">
      <div className="grid grid-cols-[7rem_minmax(0,1fr)_8rem] items-center gap-x-3 sm:grid-cols-[10rem_minmax(0,1fr)_10rem]">
        <h3 className="text-[0.8125rem] font-medium">Why they ended</h3>
        <div className="flex h-4" aria-hidden="true">
          {exits.map(({ reason, people }, index) => (
            <div
              key={reason}
              title={`${sentenceCase(plain(reason))}: ${formatNumber(people)}`}
              className={`min-w-1 border-e border-surface ${colourOf(index)}`}
              style={{ width: `${(100 * people) / all}%` }}
            />
          ))}
        </div>
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem] sm:ps-43">
        {exits.map(({ reason, people }, index) => (
          <li key={reason}>
            <Exit onClick={() => onOpen(reason)} colour={colourOf(index)}>{`${formatNumber(people)} ${plain(reason)}`}</Exit>
          </li>
        ))}
      </ul>
    </section>
  );
}

const height = 72;

function Row({ all, stretch: { step, people, bought, ended }, onOpen }: { all: number; stretch: Stretch; onOpen: (status: RiverExit) => void }) {
  const x = (count: number) => (100 * count) / all;
  const [from, to] = [x(people), x(Math.max(0, people - bought - ended))];
  const middle = height / 2;
  // A band to the side is as thick as it is wide where it leaves, and thick enough to be seen.
  const thick = (count: number) => Math.max(3, (count / all) * height * 0.9);
  return (
    <div className="grid grid-cols-[7rem_minmax(0,1fr)_8rem] items-center gap-x-3 sm:grid-cols-[10rem_minmax(0,1fr)_10rem]">
      <div className="min-w-0 text-[0.8125rem]">
        <div className="truncate font-medium" title={step ?? 'Before any message'}>
          {step === null ? 'Before any message' : plain(step)}
        </div>
        <div className="text-soft">{formatNumber(people)} still in</div>
      </div>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" className="block h-18 w-full rtl:-scale-x-100" aria-hidden="true">
        <path d={`M0 0H${from}C${from} ${middle} ${to} ${middle} ${to} ${height}H0Z`} className="fill-accent/35" />
        {ended > 0 && <Band from={to + x(bought)} to={from} at={middle + 12} thick={thick(ended)} className="fill-line-strong" />}
        {bought > 0 && <Band from={to} to={to + x(bought)} at={middle - 10} thick={thick(bought)} className="fill-good" />}
      </svg>
      <div className="space-y-1 text-[0.8125rem]">
        {bought > 0 && <Exit onClick={() => onOpen('CONVERTED')} colour="bg-good">{`${formatNumber(bought)} bought`}</Exit>}
        {ended > 0 && <Exit onClick={() => onOpen('EXITED')} colour="bg-line-strong">{`${formatNumber(ended)} ended`}</Exit>}
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

function Exit({ onClick, colour, children }: { onClick: () => void; colour: string; children: ReactNode }) {
  return (
    <button type="button" onClick={onClick} className="flex items-center gap-1.5 rounded text-start hover:underline pointer-coarse:min-h-8">
      <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${colour}`} />
      {children}
    </button>
  );
}
