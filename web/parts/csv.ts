/** A formula, as a spreadsheet reads it. An amount below zero is none. */
const isFormula = (text: string): boolean => /^[=+\-@\t\r]/.test(text) && !/^-\d+(?:\.\d+)?$/.test(text);

/** A value as a cell. A formula stays text, because names and messages are written by strangers. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const inert = typeof value === 'string' && isFormula(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/**
 * Rows as a file for spreadsheets: a column for each field, in the order in which fields are met. What a field has inside is JSON.
 * Source: RFC 4180, with the mark by which spreadsheets know UTF-8
 */
export function csvOf(rows: readonly object[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => names.map((name) => cellOf(Reflect.get(row, name))).join(','));
  return `\ufeff${[names.map(cellOf).join(','), ...lines].join('\r\n')}\r\n`;
}
