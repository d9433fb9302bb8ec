import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import type { Delivery } from '../../integrations/port.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';

const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

function codeBlocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, code = '']) => code);
}

describe('docs/webhooks.md', () => {
  test('shows an event of every type, each readable and the same as the fixture', () => {
    const shown = codeBlocks('json').map((code): { type: string } => JSON.parse(code));
    expect(shown.map(({ type }) => type).toSorted()).toEqual([...genericReceiver.topics].toSorted());
    for (const body of shown) {
      expect(
        genericReceiver.reread(posted({ raw: Buffer.from(JSON.stringify(body)), headers: {}, receivedAtMs: Date.UTC(2027, 0) }), aStore),
      ).toMatchObject({
        kind: 'events',
        topic: body.type,
        notes: [],
      });
      expect(body).toEqual(JSON.parse(readFileSync(new URL(`../fixtures/generic/${body.type}.json`, import.meta.url), 'utf8')));
    }
  });

  test.for([
    ['js', 'Node', process.execPath, ['--input-type=module', '-e']],
    ['sh', 'curl and openssl', 'sh', ['-c']],
  ] as const)('its %s script signs by %s so that the receiver accepts it', { timeout: 30_000 }, async ([language, , command, args], context) => {
    // Not every machine has the tools of the shell example.
    if (language === 'sh' && ['curl', 'openssl', 'od'].some((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0))
      return context.skip();
    const deliveries: Delivery[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        deliveries.push(posted({ raw: Buffer.concat(chunks), headers: request.headers, receivedAtMs: Date.now() }));
        response.writeHead(202).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
    try {
      const [script = ''] = codeBlocks(language);
      const { stdout } = await promisify(execFile)(command, [...args, script], {
        env: { PATH: process.env['PATH'], REKINDLE_URL: url, REKINDLE_SECRET: secret },
      });
      expect(stdout.trim()).toBe('202');
      const [delivery] = deliveries;
      if (delivery === undefined) throw new Error('nothing was delivered');
      expect(genericReceiver.receive(delivery, [secret], aStore)).toMatchObject({ kind: 'events' });
    } finally {
      server.close();
    }
  });
});
