const width = 30;

/** Draw how far something is, on the error output where somebody watches it: what a program reads stays clean. @param share - 0 to 1 */
export function showProgress(share: number, note = ''): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.min(width, Math.max(0, Math.floor(share * width)));
  process.stderr.write(`\r[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %${note}\x1b[K`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
