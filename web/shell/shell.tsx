import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { may, useStore } from '../session/session.ts';
import { ConnectionContext, useLive } from '../session/use-live.ts';
import { AccountMenu } from './account-menu.tsx';
import { Freshness } from './freshness.tsx';
import { icons } from './icons.tsx';
import { pages } from './pages.ts';
import { SavedViews } from './saved-views.tsx';
import { StoreMenu } from './store-menu.tsx';

/** The frame of every page of a store: the store, the pages, who is signed in, and how new everything is. */
export function Shell() {
  const connection = useLive(useStore());
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    setOpen(false);
    // The keyboard and screen readers go on at the beginning of the new page.
    main.current?.focus();
  }, [path]);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:start-2 focus:top-2 focus:z-50 focus:rounded focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <div className="sticky top-0 z-30 flex items-center gap-2 border-b border-line bg-surface px-3 py-1.5 lg:hidden">
        <button
          type="button"
          aria-expanded={open}
          aria-controls="pages"
          aria-label={open ? 'Close the menu' : 'Open the menu'}
          className="grid size-11 place-items-center rounded-md hover:bg-sunken"
          onClick={() => setOpen(!open)}
        >
          {open ? icons.close : icons.menu}
        </button>
        <div className="min-w-0 flex-1">
          <StoreMenu />
        </div>
      </div>
      <aside
        id="pages"
        className={`${open ? 'flex' : 'hidden'} fixed inset-x-0 top-14 bottom-0 z-20 flex-col gap-4 overflow-y-auto bg-surface p-3 lg:sticky lg:inset-auto lg:top-0 lg:flex lg:h-dvh lg:border-e lg:border-line`}
      >
        <div className="hidden lg:block">
          <StoreMenu />
        </div>
        <Pages />
        <SavedViews />
        <div className="mt-auto space-y-2">
          <Freshness connection={connection} />
          <AccountMenu />
        </div>
      </aside>
      <main ref={main} id="main" tabIndex={-1} className="min-w-0 px-4 py-5 outline-none sm:px-6 lg:px-8 lg:py-7">
        <div className="mx-auto max-w-6xl">
          <ConnectionContext value={connection}>
            <Outlet />
          </ConnectionContext>
        </div>
      </main>
    </div>
  );
}

function Pages() {
  const store = useStore();
  return (
    <nav aria-label="Pages">
      <ul className="space-y-0.5">
        {pages
          .filter(({ needs }) => may(store.role, needs))
          .map(({ to, name, icon, exact }) => (
            <li key={to}>
              <PageLink to={to} exact={exact} icon={icons[icon]}>
                {name}
              </PageLink>
            </li>
          ))}
      </ul>
    </nav>
  );
}

function PageLink({ to, exact, icon, children }: { to: (typeof pages)[number]['to']; exact: boolean; icon: ReactNode; children: ReactNode }) {
  const { slug } = useStore();
  return (
    <Link
      to={to}
      params={{ store: slug }}
      activeOptions={{ exact, includeSearch: false }}
      className="flex min-h-8 items-center gap-2.5 rounded-md px-2 text-soft hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent pointer-coarse:min-h-11"
    >
      {icon}
      {children}
    </Link>
  );
}
