import { Link, type LinkProps } from '@tanstack/react-router';
import { Fragment, type KeyboardEvent, type ReactNode, useRef } from 'react';

export interface Column<Row> {
  name: string;
  /** `start` unless it is a number. */
  align?: 'start' | 'end';
  /** Left out on a phone; `below`: there it stands in a line of its own, under its row. */
  wide?: boolean | 'below';
  cell: (row: Row) => ReactNode;
}

/**
 * A list as a table. Where `linkOf` is given, each row leads somewhere by its first cell; the arrow keys go from row to row, Home and End to the
 * first and the last.
 */
export function DataList<Row>({
  label,
  rows,
  idOf,
  columns,
  linkOf,
}: {
  label: string;
  rows: readonly Row[];
  idOf: (row: Row) => string;
  columns: readonly Column<Row>[];
  linkOf?: (row: Row) => LinkProps;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  const look = ({ align = 'start', wide = false }: Column<Row>) =>
    `px-4 py-2 align-top ${align === 'end' ? 'text-end' : 'text-start'} ${wide === false ? '' : 'hidden md:table-cell'}`;
  const [below, besides] = [columns.filter(({ wide }) => wide === 'below'), columns.filter(({ wide }) => wide === undefined || wide === false)];
  return (
    // Where it is wider than its place, the keyboard scrolls it.
    <div className="overflow-x-auto border-t border-line" role="region" aria-label={label} tabIndex={0}>
      <table className="w-full">
        <thead className="bg-sunken/60 text-xs text-soft">
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={`${look(column)} font-medium whitespace-nowrap`}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} className="divide-y divide-line" onKeyDown={(event) => moveBetweenRows(event, body.current)}>
          {rows.map((row) => {
            const lines = below.map((column) => column.cell(row)).filter((line) => line !== '' && line !== null && line !== undefined);
            return (
              <Fragment key={idOf(row)}>
                <tr className={`relative hover:bg-sunken/60 ${lines.length > 0 ? 'max-md:border-b-0' : ''}`}>
                  {columns.map((column, index) => (
                    <td key={column.name} className={look(column)}>
                      {index === 0 && linkOf !== undefined ? (
                        // The link covers its whole row.
                        <Link {...linkOf(row)} data-row className="font-medium after:absolute after:inset-0 hover:underline">
                          {column.cell(row)}
                        </Link>
                      ) : (
                        column.cell(row)
                      )}
                    </td>
                  ))}
                </tr>
                {lines.map((line, n) => (
                  <tr key={below[n]?.name} className="md:hidden">
                    <td colSpan={besides.length} className="px-4 pb-2 text-soft">
                      {line}
                    </td>
                  </tr>
                ))}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function moveBetweenRows(event: KeyboardEvent, body: HTMLElement | null): void {
  const links = [...(body?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
  const here = links.findIndex((link) => link === document.activeElement);
  if (here < 0) return;
  const targets: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 };
  const target = links[targets[event.key] ?? -1];
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
}
