import { createInterface } from 'node:readline/promises';

/** Asks somebody a question that is answered by yes or no. */
export type Confirm = (question: string) => Promise<boolean>;

/** @returns null where nobody sits at a terminal, as in a script: nobody can be asked there */
export function terminalConfirm(): Confirm | null {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  return async (question) => {
    // On the error output: what a program reads stays clean.
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
    } finally {
      terminal.close();
    }
  };
}
