import { useQueryClient } from '@tanstack/react-query';
import { session } from '../../sdk/index.ts';
import { apiOf, useSession, useStore } from '../session/session.ts';
import { type Appearance, changeAppearance, useAppearance } from './appearance.ts';
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from './menu.tsx';

const themes: readonly { value: Appearance['theme']; name: string }[] = [
  { value: 'auto', name: 'As the device' },
  { value: 'light', name: 'Light' },
  { value: 'dark', name: 'Dark' },
];
const directions: readonly { value: Appearance['direction']; name: string }[] = [
  { value: 'ltr', name: 'Left to right' },
  { value: 'rtl', name: 'Right to left' },
];

/** Who is signed in, how the dashboard looks, and the way out. */
export function AccountMenu() {
  const { data } = useSession();
  const { role } = useStore();
  const { theme, direction } = useAppearance();
  const client = useQueryClient();
  const name = data?.person.name ?? '';
  const signOut = async () => {
    const { error } = await session(apiOf()).signOut();
    if (error !== null) return;
    client.clear();
    location.assign('/sign-in');
  };
  return (
    <Menu
      label="Your account"
      trigger={
        <>
          <span aria-hidden="true" className="grid size-6 shrink-0 place-items-center rounded-full bg-sunken text-xs font-semibold text-soft">
            {name.charAt(0).toUpperCase()}
          </span>
          <span className="min-w-0 flex-1">
            <span className="block truncate text-[0.8125rem] leading-4 font-medium">{name}</span>
            <span className="block text-xs leading-4 text-soft">{role}</span>
          </span>
        </>
      }
    >
      <MenuLabel>{data?.person.email}</MenuLabel>
      <MenuLine />
      <MenuChoice label="Colours" value={theme} options={themes} onChange={(value) => changeAppearance({ theme: value })} />
      <MenuLine />
      <MenuChoice label="Direction" value={direction} options={directions} onChange={(value) => changeAppearance({ direction: value })} />
      <MenuLine />
      <MenuItem onSelect={() => void signOut()}>Sign out</MenuItem>
    </Menu>
  );
}
