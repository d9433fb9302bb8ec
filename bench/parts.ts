/** The parts of one run. One that fails does not discard the figures of the others, which may have taken an hour. */
export interface Parts {
  /** Run a part. @returns null where it failed; that is reported at once, and again at the end */
  run<T>(name: string, part: () => Promise<T>): Promise<T | null>;
  /** Say which failed. @returns the exit code of the run */
  end(): number;
}

/** @param say - for people; not where the figures go */
export function parts(say: (line: string) => void): Parts {
  const failed: string[] = [];
  return {
    async run(name, part) {
      try {
        return await part();
      } catch (error) {
        failed.push(name);
        say(`${name} failed, the others go on: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        return null;
      }
    },
    end() {
      if (failed.length > 0) say(`FAILED  ${failed.join(', ')}: no figures of ${failed.length === 1 ? 'it' : 'them'} above`);
      return failed.length > 0 ? 1 : 0;
    },
  };
}
