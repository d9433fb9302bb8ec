import { useEffect, useRef, useState } from 'react';
import { RekindleError, unwrap } from '../../sdk/index.ts';
import { useStore } from '../session/session.ts';
import { Button } from './button.tsx';
import { csvOf } from './csv.ts';
import { formatNumber } from './format.ts';
import type { PageAsk } from './pages.tsx';

/** A browser keeps all of it in memory. */
const most = 50_000;
const perPage = 200;

/** Everything that a list shows with its filter, as a file. @param name - of the file, without its ending */
export function ExportCsv<T extends object>({ name, ask }: { name: string; ask: PageAsk<T> }) {
  const { slug, api } = useStore();
  const [said, setSaid] = useState<{ text: string; isBusy: boolean } | null>(null);
  const left = useRef<AbortController | null>(null);
  // Whoever leaves the page wants no file any more.
  useEffect(() => () => left.current?.abort(), []);
  const save = async () => {
    left.current = new AbortController();
    const { signal } = left.current;
    const rows: T[] = [];
    let cursor: string | null = null;
    try {
      do {
        const page: { data: T[]; nextCursor: string | null } = unwrap(
          await ask(api, { limit: perPage, ...(cursor === null ? {} : { cursor }) }, signal),
        );
        rows.push(...page.data);
        cursor = page.nextCursor;
        setSaid({ text: `${formatNumber(rows.length)} so far`, isBusy: true });
      } while (cursor !== null && rows.length < most);
      download(`${slug}-${name}.csv`, csvOf(rows));
      setSaid(cursor === null ? null : { text: `Only the first ${formatNumber(rows.length)}: filter the list for the others.`, isBusy: false });
    } catch (error) {
      if (!(error instanceof RekindleError)) throw error;
      if (signal.aborted) return;
      setSaid({ text: error.message, isBusy: false });
    }
  };
  return (
    <>
      <Button disabled={said?.isBusy === true} onClick={() => void save()}>
        Save as CSV
      </Button>
      {said !== null && (
        <span role="status" className="text-[0.8125rem] text-soft">
          {said.text}
        </span>
      )}
    </>
  );
}

function download(file: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  URL.revokeObjectURL(url);
}
