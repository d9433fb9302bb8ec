#!/usr/bin/env node
// The compiled command line: `node dist/cli/rekindle.mjs …`.
const { endQuietly, main } = await import(new URL('./main.js', import.meta.url).href);
endQuietly();
process.exitCode = await main(process.argv.slice(2), console.log, console.error);
