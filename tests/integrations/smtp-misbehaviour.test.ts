import { describe, expect, test } from 'vitest';
import type { SendOutcome } from '../../integrations/port.ts';
import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';
import { createSmtpSender } from '../../integrations/smtp/send.ts';
import { type Fault, type SmtpServer, type Stage, startSmtpServer } from '../helpers/smtp-server.ts';
import { aMail } from './a-mail.ts';
import { deadlineIn, watchPauses } from './sender-conformance.ts';

// Every stage of a connection × everything that a server can do there. What happens before a session is open throws; up to the final
// dot nothing can have been taken, so every end is certain; after it only a whole answer is.

const login = { user: 'shop', password: 'secret' };
const opening = ['greeting', 'ehlo', 'auth'] as const satisfies Stage[];
const beforeTheDot = ['mail', 'rcpt', 'data', 'body'] as const satisfies Stage[];
/** Long enough for a whole conversation, too short for one whose answers come at a byte in a second. */
const openTimeoutMs = 300;
const deadlineMs = 300;
const graceMs = 400;
/** Where an answer comes, however busy the machine is. */
const patienceMs = 5_000;

const misbehaviours: Record<string, Pick<Fault, 'act' | 'byteDelayMs'>> = {
  'answers 421': { act: { reply: '421 4.3.2 shutting down' } },
  'answers 451': { act: { reply: '451 4.7.1 greylisted' } },
  'answers 554': { act: { reply: '554 5.7.1 no' } },
  'answers what is no SMTP': { act: { reply: 'HTTP/1.1 400 Bad Request' } },
  'begins an answer that never ends': { act: { reply: '451-to be continued' } },
  'answers a byte in a second': { act: 'pass', byteDelayMs: 1_000 },
  hangs: { act: 'hang' },
  'stops reading': { act: 'stall' },
  closes: { act: 'close' },
  resets: { act: 'reset' },
};
/** No whole answer comes: only the deadline ends such a call. */
const isSilent = (what: string) => /hangs|stops|never ends|a byte|what is no SMTP/.test(what);

const cases = <S extends Stage>(stages: readonly S[]) =>
  stages.flatMap((at) => Object.entries(misbehaviours).map(([what, fault]) => ({ at, what, fault })));

async function send(server: SmtpServer, withinMs: number): Promise<{ outcome: SendOutcome; lateMs: number }> {
  const session = await createSmtpSender(parseSmtpUrl(server.url)).open();
  const deadline = deadlineIn(withinMs);
  const pausedMs = watchPauses(deadline);
  const outcome = await session.send(aMail(), 'enrollment:step', deadline);
  const lateMs = -deadline.remainingMs() - pausedMs();
  session.close();
  return { outcome, lateMs };
}

/** The next email goes out: nothing of the misbehaviour is left in this process. */
async function expectToWorkAgain(server: SmtpServer): Promise<void> {
  server.behave();
  expect((await send(server, patienceMs)).outcome).toMatchObject({ kind: 'accepted' });
  expect(server.accepted).toHaveLength(1);
}

async function withServer(pipelining: boolean, run: (server: SmtpServer) => Promise<void>): Promise<void> {
  const server = await startSmtpServer({ pipelining, login });
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

// Most of the time is spent waiting: side by side, each with a server of its own.
describe.concurrent.each([true, false])('a server with pipelining: %s', (pipelining) => {
  test.for(cases(opening))('that $what at $at gives no session, in time, and nothing is sent', ({ at, what, fault }) =>
    withServer(pipelining, async (server) => {
      server.script({ at, ...fault });
      // RFC 5321, 4.1.4: a client whose EHLO is refused sends HELO.
      if (at === 'ehlo' && /answers (451|554|what)/.test(what)) return expectToWorkAgain(server);
      const limit = deadlineIn(openTimeoutMs);
      const pausedMs = watchPauses(limit);
      await expect(createSmtpSender(parseSmtpUrl(server.url), { openTimeoutMs }).open()).rejects.toMatchObject({ code: 'smtp_open_failed' });
      expect(-limit.remainingMs() - pausedMs()).toBeLessThan(graceMs);
      expect(server.accepted).toEqual([]);
      return expectToWorkAgain(server);
    }),
  );

  test.for(cases(beforeTheDot))('that $what at $at has certainly not taken the email', ({ at, what, fault }) =>
    withServer(pipelining, async (server) => {
      server.script({ at, ...fault });
      const { outcome, lateMs } = await send(server, isSilent(what) ? deadlineMs : patienceMs);
      // While the body is read, an answer is none yet: a server that is slow with it is not slow at all.
      if (at === 'body' && what === 'answers a byte in a second') expect(outcome).toMatchObject({ kind: 'accepted' });
      // The end of a small email had gone out when the server stopped reading: it may still read it.
      else if (at === 'body' && /stops reading|hangs|closes|resets|never ends/.test(what)) expect(['refused', 'unknown']).toContain(outcome.kind);
      else expect(outcome.kind).toBe('refused');
      if (outcome.kind === 'refused') {
        expect(outcome.severity).toBe('soft');
        expect(server.accepted).toEqual([]);
      }
      expect(lateMs).toBeLessThan(graceMs);
      if (outcome.kind !== 'accepted') await expectToWorkAgain(server);
    }),
  );

  test.for(cases(['dot']))('that $what after the final dot leaves no doubt only where it answered whole', ({ what, fault }) =>
    withServer(pipelining, async (server) => {
      for (const taking of [false, true]) {
        const before = server.accepted.length;
        server.script({ at: 'dot', ...fault, taking });
        const { outcome, lateMs } = await send(server, isSilent(what) ? deadlineMs : patienceMs);
        const refused = /answers (421|451|554)/.test(what);
        // A server that takes an email and then refuses it is believed: there is no other source.
        expect(outcome.kind).toBe(refused ? 'refused' : 'unknown');
        if (!taking && what !== 'answers a byte in a second') expect(server.accepted).toHaveLength(before);
        expect(lateMs).toBeLessThan(graceMs);
      }
    }),
  );

  test.for(['rcpt', 'dot'] as const)('that greylists at %s takes the same mail the next time, once', (at) =>
    withServer(pipelining, async (server) => {
      server.script({ at, act: { reply: '451 4.7.1 greylisted, come again' } });
      expect((await send(server, patienceMs)).outcome).toMatchObject({ kind: 'refused', severity: 'soft' });
      expect((await send(server, patienceMs)).outcome).toMatchObject({ kind: 'accepted' });
      expect(server.accepted).toHaveLength(1);
    }),
  );
});
