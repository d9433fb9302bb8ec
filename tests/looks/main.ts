import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

// `npm run test:looks`: the dashboard in a browser, with every rule in every look. What follows `--` is Vitest's.

const root = resolve(import.meta.dirname, '../..');
const vitest = [resolve(root, 'node_modules/vitest/vitest.mjs'), 'run', 'tests/api/dashboard-browser.test.ts', ...process.argv.slice(2)];
const child = spawn(process.execPath, vitest, { cwd: root, stdio: 'inherit', env: { ...process.env, DASHBOARD_LOOKS: 'all' } });
child.on('exit', (code) => process.exit(code ?? 1));
