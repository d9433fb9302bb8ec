import { useNavigate } from '@tanstack/react-router';
import { useSession, useStore } from '../session/session.ts';
import { icons } from './icons.tsx';
import { Menu, MenuChoice } from './menu.tsx';

/** The store that is looked at, and the way to another one. */
export function StoreMenu() {
  const store = useStore();
  const session = useSession();
  const navigate = useNavigate();
  const stores = session.data?.stores ?? [store];
  return (
    <Menu
      label="Choose another store"
      trigger={
        <>
          <span aria-hidden="true" className="grid size-6 shrink-0 place-items-center rounded bg-accent text-xs font-semibold text-accent-ink">
            {store.name.charAt(0).toUpperCase()}
          </span>
          <span className="min-w-0 flex-1 truncate font-semibold">{store.name}</span>
          <span className="text-soft">{icons.chevron}</span>
        </>
      }
    >
      <MenuChoice
        label="Stores"
        value={store.slug}
        options={stores.map(({ slug, name }) => ({ value: slug, name }))}
        onChange={(slug) => void navigate({ to: '/$store', params: { store: slug } })}
      />
    </Menu>
  );
}
