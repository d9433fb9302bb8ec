import { createContext, type KeyboardEvent, type ReactNode, useContext } from 'react';
import { usePopover } from '../parts/popover.tsx';
import { icons } from './icons.tsx';

const itemLook =
  'flex min-h-8 w-full items-center gap-2 rounded px-2 text-start text-[0.8125rem] outline-none focus:bg-sunken hover:bg-sunken pointer-coarse:min-h-11';

const Close = createContext(() => {});

/** A button that opens a list of choices. Arrow keys, Home, End and first letters go from one to the other. */
export function Menu({
  label,
  trigger,
  children,
}: {
  /** What it is for, said after what it shows. */
  label: string;
  trigger: ReactNode;
  children: ReactNode;
}) {
  const { open, show, close, trigger: button, content } = usePopover({ gap: 4, onOpened: (menu) => itemsOf(menu)[0]?.focus() });
  return (
    <>
      <button
        {...button}
        aria-haspopup="menu"
        className="flex min-h-9 w-full min-w-0 items-center gap-2 rounded-md px-2 text-start hover:bg-sunken aria-expanded:bg-sunken pointer-coarse:min-h-11"
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          show();
        }}
      >
        {trigger}
        <span className="sr-only">{label}</span>
      </button>
      <div
        {...content}
        role="menu"
        aria-label={label}
        className="max-h-[70dvh] min-w-56 animate-[appear_120ms_ease-out] overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 text-ink shadow-lg"
        onKeyDown={move}
      >
        {open && <Close value={close}>{children}</Close>}
      </div>
    </>
  );
}

const itemsOf = (menu: EventTarget | null) => (menu instanceof Element ? [...menu.querySelectorAll<HTMLElement>('[role^=menuitem]')] : []);

function move(event: KeyboardEvent): void {
  const items = itemsOf(event.currentTarget);
  const at = items.findIndex((item) => item === document.activeElement);
  const to = {
    ArrowDown: items[(at + 1) % items.length],
    ArrowUp: items.at(at <= 0 ? -1 : at - 1),
    Home: items[0],
    End: items.at(-1),
  }[event.key];
  const letter = event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey ? event.key.toLowerCase() : null;
  const begins = (item: HTMLElement) => letter !== null && (item.textContent ?? '').trim().toLowerCase().startsWith(letter);
  const found = to ?? [...items.slice(at + 1), ...items.slice(0, at + 1)].find(begins);
  if (found === undefined) return;
  event.preventDefault();
  found.focus();
}

export const MenuLabel = ({ children }: { children: ReactNode }) => <div className="px-2 pt-1.5 pb-1 text-xs text-soft">{children}</div>;
export const MenuLine = () => <hr className="my-1 border-line" />;

export function MenuItem({ onSelect, children }: { onSelect: () => void; children: ReactNode }) {
  const close = useContext(Close);
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={itemLook}
      onClick={() => {
        close();
        onSelect();
      }}
    >
      {children}
    </button>
  );
}

/** One of several, the chosen one ticked. */
export function MenuChoice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly { value: T; name: ReactNode }[];
  onChange: (value: T) => void;
}) {
  const close = useContext(Close);
  return (
    <div role="group" aria-label={label}>
      <MenuLabel>{label}</MenuLabel>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="menuitemradio"
          aria-checked={option.value === value}
          tabIndex={-1}
          className={itemLook}
          onClick={() => {
            close();
            onChange(option.value);
          }}
        >
          <span className="min-w-0 flex-1 truncate">{option.name}</span>
          {option.value === value && icons.check}
        </button>
      ))}
    </div>
  );
}
