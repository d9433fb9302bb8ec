import { useState } from 'react';
import { Button } from './button.tsx';

/** What is to be entered elsewhere, with a button that copies it where the browser lets a page do so. @param label - as in “Copy the address” */
export function ToCopy({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <span className="flex items-start gap-2">
      <code className="ltr min-w-0 flex-1 text-xs break-all select-all">{text}</code>
      {/* Pages that came without TLS have no clipboard. */}
      {window.isSecureContext && (
        <Button aria-label={`${copied ? 'Copied' : 'Copy'} the ${label}`} onClick={copy}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
      )}
    </span>
  );
}
