import { serveStdio } from '../mcp/stdio.ts';
import type { Command } from './command.ts';

export const mcp: Command = {
  summary: 'the tools for agents (Model Context Protocol) on standard input and output',
  usage: `rekindle mcp [--personal-data]

For programs that run agents: they start this command and speak to it until they end it, by { "command": "npx", "args": ["rekindle", "mcp"] } in their settings. Tools that change something say what would happen first, and act
only when called again with the token of that answer. The API serves the same tools at /mcp.

--personal-data   answers name addresses and numbers as they are, and previews may be of real persons; without it they are masked`,
  example: 'rekindle mcp --personal-data',
  takes: 0,
  options: { 'personal-data': { type: 'boolean' } },
  async run({ store, options }) {
    await serveStdio(store, options['personal-data'] === true);
    return { data: null, lines: [] };
  },
};
