import * as DropdownMenu from '@radix-ui/react-dropdown-menu';
import type { ReactNode } from 'react';
import { useAppearance } from './appearance.ts';
import { icons } from './icons.tsx';

const itemLook =
  'flex min-h-8 items-center gap-2 rounded px-2 text-[0.8125rem] outline-none data-[disabled]:opacity-50 data-[highlighted]:bg-sunken pointer-coarse:min-h-11';

/** A button that opens a list of choices. */
export function Menu({
  label,
  trigger,
  align = 'start',
  children,
}: {
  /** What it is for, said after what it shows. */
  label: string;
  trigger: ReactNode;
  align?: 'start' | 'end';
  children: ReactNode;
}) {
  const { direction } = useAppearance();
  return (
    <DropdownMenu.Root dir={direction} modal={false}>
      <DropdownMenu.Trigger className="flex min-h-9 w-full min-w-0 items-center gap-2 rounded-md px-2 text-start hover:bg-sunken data-[state=open]:bg-sunken pointer-coarse:min-h-11">
        {trigger}
        <span className="sr-only">{label}</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-[70dvh] min-w-56 animate-[appear_120ms_ease-out] overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 text-ink shadow-lg"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <DropdownMenu.Label className="px-2 pt-1.5 pb-1 text-xs text-soft">{children}</DropdownMenu.Label>
);
export const MenuLine = () => <DropdownMenu.Separator className="my-1 h-px bg-line" />;
export const MenuItem = ({ onSelect, children }: { onSelect: () => void; children: ReactNode }) => (
  <DropdownMenu.Item className={itemLook} onSelect={onSelect}>
    {children}
  </DropdownMenu.Item>
);

/** One of several, the chosen one ticked. */
export function MenuChoice<T extends string>({
  value,
  options,
  onChange,
}: {
  value: T;
  options: readonly { value: T; name: ReactNode }[];
  onChange: (value: T) => void;
}) {
  return (
    <DropdownMenu.RadioGroup
      value={value}
      onValueChange={(next) => {
        const chosen = options.find((option) => option.value === next);
        if (chosen !== undefined) onChange(chosen.value);
      }}
    >
      {options.map((option) => (
        <DropdownMenu.RadioItem key={option.value} value={option.value} className={itemLook}>
          <span className="min-w-0 flex-1 truncate">{option.name}</span>
          <DropdownMenu.ItemIndicator>{icons.check}</DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}
