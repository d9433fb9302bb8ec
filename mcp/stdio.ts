import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Client } from '../sdk/index.ts';
import { Confirmations } from './confirmations.ts';
import { createMcpServer } from './server.ts';

/** Serve the tools on standard input and output until the input ends. */
export async function serveStdio(client: Client, personalData: boolean): Promise<void> {
  const server = createMcpServer({ client, personalData, confirmations: new Confirmations(), owner: '' });
  const ended = new Promise<void>((done) => process.stdin.once('end', done).once('close', done));
  await server.connect(new StdioServerTransport());
  await ended;
  await server.close();
}
