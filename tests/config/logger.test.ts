import { DrizzleQueryError } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createLogger } from '../../config/logger.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  let lines = '';
  const destination = {
    write(line: string) {
      lines += line;
    },
  };
  write(createLogger({ part: 'test', level: 'info', destination }));
  return lines;
}

test('personal data does not reach the log, however deep it lies', () => {
  const person = { email: 'mara.sand@example.com', firstName: 'Mara', phone: '+436601234567' };
  const lines = logged((log) => {
    log.info({ ...person }, 'top');
    log.info({ event: { keys: [{ owner: { person } }] } }, 'nested');
    log.info({ req: { method: 'GET', url: '/unsubscribe/tok_secret', headers: { 'x-api-key': 'rk_secret' } } }, 'request');
  });
  for (const word of ['mara.sand', 'Mara', '6601234567', 'rk_secret', 'tok_secret']) expect(lines).not.toContain(word);
});

test('ids, reasons and numbers stay readable', () => {
  const line = logged((log) => log.info({ enrollmentId: '0190', reason: 'quiet_hours', waitedMs: 12, step: { id: 'email_2h' } }, 'deferred'));
  expect(JSON.parse(line)).toMatchObject({ part: 'test', enrollmentId: '0190', reason: 'quiet_hours', waitedMs: 12, step: { id: 'email_2h' } });
});

test('a failed query keeps its text, code and stack, but not the values', () => {
  const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(mara.sand@example.com) already exists.' });
  const line = logged((log) =>
    log.error({ err: new DrizzleQueryError('insert into contacts', ['mara.sand@example.com', 'two\nlines'], cause) }, 'relay'),
  );
  expect(line).not.toContain('mara.sand');
  expect(JSON.parse(line).err).toMatchObject({ message: 'Failed query: insert into contacts', cause: { code: '23505', message: 'duplicate key' } });
  expect(JSON.parse(line).err.stack).toContain('logger.test.ts');
});

test('a text of any length is cut to a line of reasonable length', () => {
  const line = logged((log) => log.warn({ err: new Error(`invalid input: ${'x'.repeat(1_000_000)}`), said: 'y'.repeat(1_000_000) }, 'odd'));
  expect(line.length).toBeLessThan(10_000);
  expect(line).toContain('invalid input: xxx');
});
