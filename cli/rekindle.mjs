#!/usr/bin/env node
// The compiled command line: `node dist/cli/rekindle.mjs …`.
const { main } = await import(new URL('./main.js', import.meta.url).href);
process.exitCode = await main(process.argv.slice(2), console.log, console.error);
