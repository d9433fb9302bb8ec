import { useRef, useState } from 'react';
import { Button } from './button.tsx';

/**
 * What is to be entered elsewhere, with a button that copies it where the browser lets a page do so; where it refuses, the text is selected instead.
 * @param label - as in “Copy the address”
 */
export function ToCopy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState<'Copy' | 'Copied' | 'Selected'>('Copy');
  const shown = useRef<HTMLElement>(null);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setDone('Copied'),
      () => {
        if (shown.current !== null) window.getSelection()?.selectAllChildren(shown.current);
        setDone('Selected');
      },
    );
  };
  return (
    <span className="flex items-start gap-2">
      <code ref={shown} className="ltr min-w-0 flex-1 text-xs break-all select-all">
        {text}
      </code>
      {/* Pages that came without TLS have no clipboard. */}
      {window.isSecureContext && (
        <Button
          aria-label={`${done} the ${label}`}
          title={done === 'Selected' ? 'The browser lets no page copy here: copy it with the keyboard.' : undefined}
          onClick={copy}
        >
          {done}
        </Button>
      )}
    </span>
  );
}
