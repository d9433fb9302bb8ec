import { describe, expect, test } from 'vitest';
import { scratchProject } from '../helpers/scratch-project.ts';

/** `npm run check` in a project whose gates are these commands. */
function check(gates: Record<string, string>): { code: number | null; lines: string[] } {
  const scripts = Object.fromEntries(Object.entries(gates).map(([name, command]) => [`check:${name}`, command]));
  const project = scratchProject(['local/check.ts'], {
    'package.json': JSON.stringify({ type: 'module', scripts: { ...scripts, other: 'exit 1' } }),
  });
  try {
    const { code, stdout } = project.run('tsx', ['local/check.ts']);
    return { code, lines: stdout.trimEnd().split('\n') };
  } finally {
    project.remove();
  }
}

const says = (words: string, code = 0) => `node -e "console.log('${words}'); process.exit(${code})"`;

describe('npm run check', () => {
  test('runs every gate, one line each, and counts them', () => {
    const { code, lines } = check({ types: says('fine'), lint: says('fine too') });
    expect(code).toBe(0);
    expect(lines.filter((line) => line.startsWith('passed'))).toHaveLength(2);
    expect(lines.join('\n')).not.toContain('fine');
    expect(lines.at(-1)).toBe('2 passed, 0 failed');
  });

  test('goes on after a gate that fails, and shows what that one said', () => {
    const { code, lines } = check({ types: says('a wrong type', 2), lint: says('fine'), format: 'there-is-no-such-program', unused: says('fine') });
    expect(code).toBe(1);
    expect(lines.filter((line) => line.startsWith('FAILED')).map((line) => line.split(/\s+/)[1])).toEqual(
      expect.arrayContaining(['types', 'format']),
    );
    expect(lines).toContain('a wrong type');
    expect(lines).not.toContain('fine');
    expect(lines.at(-1)).toBe('2 passed, 2 failed');
  });

  test('no gate at all is a failure', () => {
    const { code, lines } = check({});
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe('0 passed, 0 failed');
  });
});
