import { type RefObject, type ToggleEvent, useCallback, useEffect, useId, useRef, useState } from 'react';

/** Kept free at the sides of the window. Pixels. */
const edge = 8;

/**
 * A button and what it opens beside itself. It is the browser's own popover: Escape and a click elsewhere close it, and the keyboard goes back to the
 * button.
 * @param gap - between both, pixels
 * @param onOpened - it is shown and stands in its place
 */
export function usePopover({ gap, onOpened }: { gap: number; onOpened?: (content: HTMLElement) => void }) {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const place = useCallback(() => {
    if (trigger.current !== null && content.current !== null) placeBeside(trigger.current, content.current, gap);
  }, [gap]);
  useEffect(() => {
    if (!open) return undefined;
    // The browser has shown it by then, and has not drawn it yet.
    const frame = requestAnimationFrame(place);
    addEventListener('resize', place);
    addEventListener('scroll', place, { capture: true, passive: true });
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('resize', place);
      removeEventListener('scroll', place, { capture: true });
    };
  }, [open, place]);
  return {
    open,
    show: () => content.current?.showPopover(),
    close: () => content.current?.hidePopover(),
    trigger: { ref: trigger as RefObject<HTMLButtonElement>, type: 'button', popoverTarget: id, 'aria-expanded': open } as const,
    content: {
      ref: content as RefObject<HTMLDivElement>,
      id,
      popover: 'auto',
      // What is in it goes only once it is closed: the keyboard goes back from there to the button.
      onBeforeToggle: ({ newState }: ToggleEvent) => {
        if (newState === 'open') setOpen(true);
      },
      onToggle: ({ newState, currentTarget }: ToggleEvent<HTMLDivElement>) => {
        if (newState === 'closed') {
          setOpen(false);
          return;
        }
        place();
        onOpened?.(currentTarget);
      },
    } as const,
  };
}

/** Below it, or above where there is more room, from the side at which lines begin. */
function placeBeside(trigger: HTMLElement, content: HTMLElement, gap: number): void {
  const at = trigger.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = content;
  const begin = getComputedStyle(document.documentElement).direction === 'rtl' ? at.right - width : at.left;
  const isBelow = at.bottom + gap + height <= innerHeight - edge || at.top < innerHeight - at.bottom;
  const within = (value: number, most: number) => Math.max(edge, Math.min(value, most - edge));
  content.style.inset = 'auto';
  content.style.left = `${within(begin, innerWidth - width)}px`;
  content.style.top = `${within(isBelow ? at.bottom + gap : at.top - gap - height, innerHeight - height)}px`;
}
