/** What to say of a file that could not be read. @param error - of `node:fs` */
export function unreadable(file: string, error: unknown): string {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) };
  if (code === 'ENOENT') return `There is no file ${file}.`;
  return `${file} cannot be read: ${code === 'EISDIR' ? 'it is a folder' : message}`;
}
