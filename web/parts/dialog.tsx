import { type ReactNode, useEffect, useId, useRef } from 'react';

/** Asks something before it is done. The browser keeps the keyboard inside, and Escape closes it. */
export function Dialog({ title, open, onClose, children }: { title: string; open: boolean; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      className="m-auto w-[min(30rem,calc(100dvw-2rem))] rounded-xl border border-line-strong bg-raised p-5 text-ink shadow-xl backdrop:bg-black/50"
    >
      <h2 id={id} className="text-base font-semibold">
        {title}
      </h2>
      {open && children}
    </dialog>
  );
}
