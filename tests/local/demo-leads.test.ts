import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Prospect, prospectNumber, type ProspectBehaviour } from '../../local/demo-leads/prospect.ts';
import { type AdWorld, live } from '../../local/demo-leads/story.ts';
import type { MailReader } from '../../local/demo-store/mail-reader.ts';

let server: Server;
let url: string;
let did: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    did.push(request.method === 'POST' ? 'unsubscribes' : request.url === '/o.gif' ? 'opens' : 'clicks');
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** What a prospect does, in the order in which they do it. Their emails, texts and calls are there when they look. */
async function story(behaviour: ProspectBehaviour, mailsThatCome = 9): Promise<string[]> {
  did = [];
  const mail = { subject: 'x', pictures: [`${url}/o.gif`], links: [`${url}/c`], unsubscribe: `${url}/u` };
  const mails = { register() {}, forget() {}, nth: async (_to: string, n: number) => (n > mailsThatCome ? null : mail) } as unknown as MailReader;
  let calls = 0;
  const world: AdWorld = {
    fillIn: async () => void did.push('fills in'),
    takesCalls: (_phone, ends) => void (calls = ends.length),
    called: async (_phone, n) => {
      did.push(n <= calls ? `takes call ${n}` : `misses call ${n}`);
      return true;
    },
    texted: async () => true,
    answersText: async (_phone, text) => void did.push(`texts ${text}`),
    postback: async ({ status }) => void did.push(status),
    chat: (_prospect, turn) => void did.push(`chats ${Object.keys(turn).join()}`),
    forget: () => void did.push('leaves'),
  };
  const prospect: Prospect = { ...prospectNumber(1, 't'), behaviour };
  await live(prospect, { world, mails, hourMs: 0.01, publicUrl: url, apiUrl: url, signal: new AbortController().signal });
  return did;
}

test.each<[ProspectBehaviour, string[]]>([
  [{ kind: 'buys_after_email', onEmail: 1 }, ['opens', 'clicks', 'sale']],
  [{ kind: 'buys_after_call' }, ['takes call 1', 'sale']],
  [{ kind: 'takes_it_back', onEmail: 1 }, ['opens', 'clicks', 'sale', 'rejected']],
  [{ kind: 'asks_to_be_called_later' }, ['takes call 2', 'sale']],
  [{ kind: 'refuses_calls' }, ['takes call 1']],
  [{ kind: 'answers_a_text', text: 'Yes?' }, ['texts Yes?']],
  [{ kind: 'unsubscribes', onEmail: 1 }, ['opens', 'unsubscribes']],
  [{ kind: 'opens_and_ignores' }, ['opens', 'opens', 'opens']],
  [{ kind: 'ignores' }, []],
  [{ kind: 'chats' }, ['chats text', 'chats text', 'chats phone', 'chats text']],
])('somebody fills in the form of an ad, and then: %j', async (behaviour, then) => {
  expect(await story(behaviour)).toEqual(['fills in', ...then, 'leaves']);
});

test('who waits for an email that never comes buys nothing', async () => {
  expect(await story({ kind: 'buys_after_email', onEmail: 1 }, 0)).toEqual(['fills in', 'leaves']);
});

test('the first ones show every behaviour; each seed has the same people, and nobody has a number or an address that could be real', () => {
  const prospects = Array.from({ length: 300 }, (_, number) => prospectNumber(number, 'x'));
  expect(new Set(prospects.slice(0, 10).map(({ behaviour }) => behaviour.kind)).size).toBe(10);
  expect(new Set(prospects.map(({ email }) => email)).size).toBe(300);
  expect(new Set(prospects.map(({ phone }) => phone)).size).toBe(300);
  for (const { phone, email } of prospects) {
    expect(phone).toMatch(/^\+1[2-9]\d{2}55501\d{2}$/);
    expect(email).toMatch(/@example\.com$/);
  }
  const { email, phone, clickId, ...person } = prospectNumber(7, 'a');
  const { email: other, phone: _phone, clickId: _click, ...same } = prospectNumber(7, 'b');
  expect([same, other === email, phone === '', clickId === '']).toEqual([person, false, false, false]);
});
