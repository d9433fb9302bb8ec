#!/usr/bin/env node
// `npx rekindle …` in a checkout: the command line from its sources.
import { register } from 'tsx/esm/api';

register();
const { endQuietly, main } = await import('../cli/main.ts');
endQuietly();
process.exitCode = await main(process.argv.slice(2), console.log, console.error);
