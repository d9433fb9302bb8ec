#!/usr/bin/env node
// `npx rekindle …`: the compiled command line where there is one, else the sources of a checkout.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compiled = new URL('../dist/cli/main.js', import.meta.url);
const beside = new URL('./main.js', import.meta.url);
const built = [beside, compiled].find((url) => existsSync(fileURLToPath(url)));
if (built === undefined) (await import('tsx/esm/api')).register();
const { main } = await import((built ?? new URL('./main.ts', import.meta.url)).href);
process.exitCode = await main(process.argv.slice(2), console.log, console.error);
