import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commands, main } from '../../cli/main.ts';

// No server listens: whatever these tests run must not ask one.
beforeEach(
  () => void vi.stubEnv('REKINDLE_API_URL', 'http://127.0.0.1:1').stubEnv('REKINDLE_API_KEY', 'rk_key').stubEnv('REKINDLE_INSTALLATION_KEY', 'key'),
);
afterEach(() => void vi.unstubAllEnvs());

async function run(args: string[], confirm: Parameters<typeof main>[3] = null) {
  const [said, complained]: [string[], string[]] = [[], []];
  const code = await main(
    args,
    (line) => said.push(line),
    (line) => complained.push(line),
    confirm,
  );
  return { code, said: said.join('\n'), complained: complained.join('\n') };
}

const all = Object.entries(commands);
const id = '01920000-0000-7000-8000-000000000000';

describe('--help', () => {
  test.each(all)('%s says how it is used, with an example of itself', async (name, { usage }) => {
    const { code, said, complained } = await run([name, '--help']);
    expect({ code, complained }).toEqual({ code: 0, complained: '' });
    expect(said).toContain(usage);
    expect(said).toMatch(new RegExp(`\nExample: (.*[(])?rekindle ${name}\\b`));
  });

  test('lists every command, and what the exit status means', async () => {
    const { code, said } = await run(['--help']);
    expect(code).toBe(0);
    for (const [name, { summary }] of all)
      expect(said).toContain(`
${name.padEnd(14)}${summary}`);
    expect(said).toContain('exit status is 0');
  });

  // mcp serves until its input ends: tests/api/mcp.test.ts starts it.
  test.each(all.filter(([name]) => name !== 'mcp'))(
    '%s: what its usage names it takes, and its example is a command line',
    async (name, { usage, takes, options = {}, example }) => {
      if (typeof takes === 'object') for (const action of Object.keys(takes).filter((known) => known !== 'list')) expect(usage).toContain(action);
      // `--help` says of all lists alike how they are sorted.
      for (const option of Object.keys(options).filter((one) => one !== 'sort'))
        expect(usage, `${name} --${option}`).toMatch(new RegExp(`--${option}\\b|-${option.split('-').at(-1)}\\b`));
      const words = [...example.matchAll(/"([^"]*)"|'([^']*)'|([^\s"'()<>]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
      const { code, complained } = await run(words.slice(words.indexOf(name)).filter((word) => word !== 'sequence.schema.json'));
      // What needs the server fails, as none is there; files of the example may be missing. Nothing is wrong with the command line.
      if (code === 2) expect(complained).toMatch(/^There is no file /);
    },
  );
});

test.each([
  [['enrollments', '--limit', '5'], 'There is no option --limit.'],
  [['status', '-n'], 'There is no option -n.'],
  [['enroll', 'cart', '--email'], '--email needs a value.'],
  [['enroll', 'cart', '--email', '-x'], '--email needs a value; one that begins with a dash is written --email=-VALUE.'],
  [['status', '--json=1'], '--json takes no value.'],
  [['rehearse', 'nosuch'], 'No sequence nosuch comes with Rekindle. There is no file nosuch.'],
  [['rehearse', './cli'], './cli cannot be read: it is a folder'],
])('%j says what is wrong, and then how the command is used', async (args, wrong) => {
  const { code, complained } = await run(args);
  expect(complained.split('\n\n')).toEqual([wrong, expect.stringContaining(`rekindle ${args[0] ?? ''}`), ...complained.split('\n\n').slice(2)]);
  expect(code).toBe(2);
});

describe('what takes something away for good', () => {
  const destroying = all.flatMap(([name, { destroys = {} }]) =>
    typeof destroys === 'string' ? [[name, ''] as const] : Object.keys(destroys).map((action) => [name, action] as const),
  );
  const argsOf = (name: string, action: string) => [
    name,
    ...(action === '' ? [] : [action]),
    id,
    ...(name === 'tenants' ? [id] : []),
    ...(action === 'dismiss' ? ['--reason', 'x'] : []),
  ];

  test.each(destroying)('%s %s asks first, and does nothing without a yes', async (name, action) => {
    const asked: string[] = [];
    const refused = await run(argsOf(name, action), (question) => Promise.resolve(asked.push(question) < 0));
    expect(refused).toEqual({ code: 1, said: '', complained: 'Nothing was done.' });
    expect(asked).toHaveLength(1);
    const unasked = await run(argsOf(name, action));
    expect(unasked.code).toBe(2);
    expect(unasked.complained).toContain('--yes');
    for (const meant of [await run([...argsOf(name, action), '--yes']), await run(argsOf(name, action), () => Promise.resolve(true))])
      expect(meant.complained).toContain('http://127.0.0.1:1 does not answer. Is Rekindle running?');
  });

  test('is not asked about where nothing is to be changed', async () => {
    const dry = await run(['erase', id, '--dry-run']);
    expect(dry.complained).toContain('http://127.0.0.1:1 does not answer. Is Rekindle running?');
  });

  test('is at least the erasure of people, and the end of connections, keys and sequences', () => {
    expect(destroying.map((names) => names.join(' '))).toEqual(
      expect.arrayContaining(['contacts erase', 'erase ', 'connections remove', 'tenants revoke', 'sequences end', 'campaigns end']),
    );
  });
});

describe('completion', () => {
  const script = async (shell: string) => (await run(['completion', shell])).said;

  /** What bash offers for a line whose last word is being typed. */
  async function offered(...line: string[]): Promise<string[]> {
    const words = line.map((word) => `'${word}'`).join(' ');
    const asking = `${await script('bash')}\nCOMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; _rekindle; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', asking], { encoding: 'utf8' });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout.trim().split('\n');
  }

  test('in bash offers commands, their own commands, and their options', async () => {
    expect((await offered('rekindle', '')).toSorted()).toEqual(all.map(([name]) => name).toSorted());
    expect(await offered('rekindle', 'seq')).toEqual(['sequences']);
    expect(await offered('rekindle', 'bulk', 'pa')).toEqual(['pause']);
    expect(await offered('rekindle', 'bulk', 'start', 'cart', '--per-')).toEqual(['--per-hour', '--per-day']);
    expect(await offered('rekindle', 'contacts', 'erase', 'x', '--y')).toEqual(['--yes']);
    expect(await offered('rekindle', 'completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  test.each(['zsh', 'fish'])('in %s names every command with its words', async (shell) => {
    const text = await script(shell);
    for (const [name, { takes }] of all) {
      expect(text).toContain(name);
      if (typeof takes === 'object') expect(text).toContain(Object.keys(takes).join(' '));
    }
    // Where the shell is there, it reads the script.
    // From a file: fish opens neither a pipe nor a socket.
    const folder = mkdtempSync(join(tmpdir(), 'completion-'));
    const file = join(folder, `rekindle.${shell}`);
    writeFileSync(file, text);
    const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    if (error === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('knows no other shell', async () => {
    expect((await run(['completion', 'csh'])).code).toBe(2);
  });
});
