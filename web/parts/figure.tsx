import type { ReactNode } from 'react';
import { usePopover } from './popover.tsx';

/** What a figure means, for whoever opens it. */
export function Definition({ of, children, label }: { of: string; children: ReactNode; label?: ReactNode }) {
  const { open, trigger, content } = usePopover({ gap: 6 });
  return (
    <>
      <button
        {...trigger}
        className="inline-flex cursor-help items-center gap-1 rounded text-start underline decoration-line-strong decoration-dotted underline-offset-4 hover:decoration-solid"
        aria-label={`${of}: what this means`}
      >
        {label ?? of}
      </button>
      <div
        {...content}
        className="max-h-[70dvh] max-w-80 animate-[appear_120ms_ease-out] overflow-y-auto rounded-lg border border-line-strong bg-raised p-3 text-start text-[0.8125rem] leading-5 font-normal whitespace-normal text-ink shadow-lg"
      >
        {open && (
          <>
            <p className="mb-1 font-semibold">{of}</p>
            <div className="space-y-1.5 text-soft">{children}</div>
          </>
        )}
      </div>
    </>
  );
}

/** A number with its name, which opens what it means. */
export function Figure({ name, value, note, means }: { name: string; value: ReactNode; note?: ReactNode; means: ReactNode }) {
  return (
    <div className="min-w-0">
      <div className="text-[0.8125rem] text-soft">
        <Definition of={name}>{means}</Definition>
      </div>
      <div className="mt-0.5 text-[1.375rem] leading-8 font-semibold tracking-[-0.015em]">{value}</div>
      {note !== undefined && <div className="text-xs text-soft">{note}</div>}
    </div>
  );
}
