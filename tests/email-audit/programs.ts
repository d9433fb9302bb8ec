import { execFile } from 'node:child_process';

/** What a program of this machine answered. `code` null: it is not installed. */
export interface Answer {
  code: number | null;
  stdout: string;
}

/** Run a program to its end. Never throws for what the program says. */
export function run(program: string, args: readonly string[], input?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { maxBuffer: 64 * 2 ** 20, timeout: 300_000 }, (error, stdout) => {
      if (error === null) resolve({ code: 0, stdout });
      else if (error.code === 'ENOENT') resolve({ code: null, stdout: '' });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout });
      else reject(new Error(`${program} did not end by itself`, { cause: error }));
    });
    // The program may end before it has read everything; its answer says what it thinks.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
