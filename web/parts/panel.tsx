import type { ReactNode } from 'react';

/** One thing on a page, with its heading. @param flush - its content brings its own margins */
export function Panel({
  title,
  note,
  aside,
  flush = false,
  className = '',
  children,
}: {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  flush?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section className={`min-w-0 rounded-lg border border-line bg-surface ${className}`}>
      <header className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 px-4 pt-3.5 pb-2">
        <div className="min-w-0">
          <h2 className="text-[0.9375rem] font-semibold tracking-[-0.005em]">{title}</h2>
          {note !== undefined && <p className="text-[0.8125rem] text-soft">{note}</p>}
        </div>
        {aside}
      </header>
      <div className={flush ? '' : 'px-4 pb-4'}>{children}</div>
    </section>
  );
}

export function PageHeader({ title, note, children }: { title: ReactNode; note?: ReactNode; children?: ReactNode }) {
  return (
    <header className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-[-0.012em] text-balance">{title}</h1>
        {note !== undefined && <p className="mt-0.5 max-w-prose text-soft">{note}</p>}
      </div>
      {children !== undefined && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}
