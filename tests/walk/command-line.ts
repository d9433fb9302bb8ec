import { commands, main } from '../../cli/main.ts';
import type { Command } from '../../cli/command.ts';

type Mode = 'human' | 'json';

/** Runs command lines as a terminal would, and remembers which commands did something. Asks the server that the environment names. */
export class CommandLine {
  /** `contacts show human`, for each command that ended as expected. */
  readonly #tried = new Set<string>();
  /** How many command lines ended as expected. */
  passed = 0;

  /** The command for people, then with `--json`. @returns the JSON, with the text that people see */
  async both<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    await this.human(...args);
    return this.json<T>(...args);
  }

  /** @throws when the exit status is another than 0, or nothing was said */
  async human(...args: string[]): Promise<string> {
    const { code, said, complained } = await run(args);
    if (code !== 0 || said === '') throw new Error(`${line(args)} ended with ${code}: ${complained || said || 'it says nothing'}`);
    this.#passed(args, 'human');
    return said;
  }

  /** @throws when the exit status is another than 0, or the output is no JSON */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const { code, said, complained } = await run([...args, '--json']);
    if (code !== 0) throw new Error(`${line(args)} --json ended with ${code}: ${complained || said}`);
    const data = JSON.parse(said) as T;
    this.#passed(args, 'json');
    return data;
  }

  /** A command whose exit status says what it found. @param codes - those that are right here */
  async found(codes: readonly number[], ...args: string[]): Promise<void> {
    for (const mode of ['human', 'json'] as const) {
      const { code, said, complained } = await run(mode === 'json' ? [...args, '--json'] : args);
      if (!codes.includes(code) || said === '') throw new Error(`${line(args)} ended with ${code}: ${complained || said}`);
      if (mode === 'json') JSON.parse(said);
      this.#passed(args, mode);
    }
  }

  /** A command that the server refuses with this code, in words and as problem details. */
  async refused(code: string, ...args: string[]): Promise<void> {
    const human = await run(args);
    if (human.code !== 1 || human.complained === '') throw new Error(`${line(args)} ended with ${human.code}, not with a refusal: ${human.said}`);
    const json = await run([...args, '--json']);
    const problem = JSON.parse(json.complained) as { code?: string; detail?: string };
    if (json.code !== 1 || problem.code !== code)
      throw new Error(`${line(args)} was refused with ${String(problem.code)}, not ${code}: ${String(problem.detail)}`);
    this.#passed(args, 'human');
    this.#passed(args, 'json');
  }

  /** What cannot be done as things are, which the command finds by itself. @throws when the exit status is another than 1, or nothing was said */
  async impossible(...args: string[]): Promise<void> {
    for (const mode of ['human', 'json'] as const) {
      const { code, said, complained } = await run(mode === 'json' ? [...args, '--json'] : args);
      if (code !== 1 || complained === '') throw new Error(`${line(args)} ended with ${code}, not with 1: ${said}`);
      this.#passed(args, mode);
    }
  }

  /** Like `human` or `json`; or it comes too late and is refused with this code, because what it is about goes on by itself. */
  async unlessLate(code: string, mode: Mode, ...args: string[]): Promise<void> {
    const { code: status, complained } = await run(mode === 'json' ? [...args, '--json'] : args);
    const refused = mode === 'json' && status === 1 ? (JSON.parse(complained) as { code?: string }).code : code;
    if (status > 1 || refused !== code) throw new Error(`${line(args)} ended with ${status}: ${complained}`);
    this.#passed(args, mode);
  }

  /** A command line that is wrong: the exit status is 2, and the command says how it is used. */
  async wrong(...args: string[]): Promise<void> {
    const { code, said, complained } = await run(args);
    if (code !== 2 || complained === '') throw new Error(`${line(args)} ended with ${code}, not with 2: ${said || complained}`);
  }

  /** Commands that were not tried in both ways. `mcp` serves until its input ends: tests/api/mcp.test.ts starts it. */
  untried(): string[] {
    return Object.entries(commands)
      .filter(([name]) => name !== 'mcp')
      .flatMap(([name, command]) =>
        subcommandsOf(command).flatMap((sub) =>
          (['human', 'json'] as const).flatMap((mode) => {
            const key = [name, ...(sub === null ? [] : [sub]), mode].join(' ');
            return this.#tried.has(key) ? [] : [key];
          }),
        ),
      );
  }

  #passed([name = '', sub = '']: string[], mode: Mode): void {
    this.passed += 1;
    const takes = commands[name]?.takes;
    const known = typeof takes === 'object' && Object.hasOwn(takes, sub);
    this.#tried.add([name, ...(known ? [sub] : []), mode].join(' '));
  }
}

const line = (args: readonly string[]) => `rekindle ${args.join(' ')}`;

/** Nobody is asked: what takes something away for good needs its --yes. */
async function run(args: string[]): Promise<{ code: number; said: string; complained: string }> {
  const [said, complained]: [string[], string[]] = [[], []];
  const code = await main(
    args,
    (text) => said.push(text),
    (text) => complained.push(text),
    null,
  );
  return { code, said: said.join('\n'), complained: complained.join('\n') };
}

/** What a command can be told to do. Null: it does something where nothing more is said. */
export function subcommandsOf({ takes, usage }: Command): (string | null)[] {
  if (typeof takes === 'number') return [null];
  return [...Object.keys(takes), ...(/^rekindle [\w-]+(?: {2,}| \[| <)/m.test(usage) ? [null] : [])];
}
