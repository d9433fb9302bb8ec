import { NotPossibleError } from './command.ts';

const longestMs = 120_000;

/** Ask every second until it is so. @throws NotPossibleError after two minutes */
export async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + longestMs;
  while (!(await isSo())) {
    if (Date.now() > endMs)
      throw new NotPossibleError(`${what} is not done after two minutes, and goes on. Does a worker run? rekindle doctor tells.`);
    await new Promise((done) => setTimeout(done, 1_000));
  }
}
