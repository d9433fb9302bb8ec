import { useRouter, useRouterState } from '@tanstack/react-router';
import { type FormEvent, type MouseEvent, useEffect, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { lineOf, TextField } from '../parts/labelled.tsx';
import { useStore } from '../session/session.ts';
import { icons } from './icons.tsx';
import { readViews, type SavedView, viewsKey } from './read-views.ts';

/** Lists with their filters, by names that somebody gave them. They are kept in this browser, for each store. */
export function SavedViews() {
  const { slug } = useStore();
  // Drawn anew wherever the address changes.
  useRouterState({ select: ({ location }) => location.href });
  const [views, keep] = useViews(slug);
  const [naming, setNaming] = useState(false);
  const here = location.pathname + location.search;
  const isSaved = views.some(({ href }) => href === here);
  const canSave = location.search !== '' && !isSaved;
  if (views.length === 0 && !canSave) return null;
  return (
    <section aria-label="Saved views" className="space-y-0.5 border-t border-line pt-3">
      <h2 className="px-2 text-xs text-soft">Saved views</h2>
      <ul>
        {views.map((view) => (
          <li key={view.href} className="flex items-center">
            <ViewLink view={view} isHere={view.href === here} />
            <button
              type="button"
              aria-label={`Remove the view ${view.name}`}
              className="grid size-8 shrink-0 place-items-center rounded-md text-soft hover:bg-sunken hover:text-ink pointer-coarse:size-11"
              onClick={() => keep(views.filter(({ href }) => href !== view.href))}
            >
              {icons.close}
            </button>
          </li>
        ))}
      </ul>
      {canSave && (
        <Button look="quiet" className="w-full justify-start" onClick={() => setNaming(true)}>
          Save this view
        </Button>
      )}
      <Dialog title="Save this view" open={naming} onClose={() => setNaming(false)}>
        <NameForm
          onClose={() => setNaming(false)}
          onNamed={(name) => {
            keep([...views, { name, href: here }]);
            setNaming(false);
          }}
        />
      </Dialog>
    </section>
  );
}

function ViewLink({ view, isHere }: { view: SavedView; isHere: boolean }) {
  const router = useRouter();
  const go = (event: MouseEvent) => {
    // The browser opens another tab by itself.
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    router.history.push(view.href);
  };
  return (
    <a
      href={view.href}
      onClick={go}
      aria-current={isHere ? 'page' : undefined}
      className="flex min-h-8 min-w-0 flex-1 items-center rounded-md px-2 text-soft hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent pointer-coarse:min-h-11"
    >
      <span className="truncate">{view.name}</span>
    </a>
  );
}

function NameForm({ onClose, onNamed }: { onClose: () => void; onNamed: (name: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = lineOf(new FormData(event.currentTarget), 'name');
    if (name !== '') onNamed(name);
  };
  return (
    <form onSubmit={submit} className="mt-3 space-y-4">
      <TextField
        label="Name"
        name="name"
        required
        maxLength={60}
        autoComplete="off"
        hint="This page with its filter, in this browser, for this store."
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="main">
          Save
        </Button>
      </div>
    </form>
  );
}

function useViews(slug: string): [views: readonly SavedView[], keep: (views: readonly SavedView[]) => void] {
  const key = viewsKey(slug);
  const [stored, setStored] = useState(() => localStorage.getItem(key));
  useEffect(() => {
    // Another tab has changed them, or another store is shown.
    const read = () => setStored(localStorage.getItem(key));
    read();
    addEventListener('storage', read);
    return () => removeEventListener('storage', read);
  }, [key]);
  const keep = (views: readonly SavedView[]) => {
    const text = JSON.stringify(views);
    localStorage.setItem(key, text);
    setStored(text);
  };
  return [readViews(stored, slug), keep];
}
