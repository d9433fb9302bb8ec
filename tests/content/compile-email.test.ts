import { expect, test } from 'vitest';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { cartKind } from './a-mail.ts';

const copy = (more: Partial<Record<'subject' | 'body', string>> = {}) => ({
  file: 'sequences/cart/own.liquid',
  text: `---\nsubject: "${more.subject ?? 'Your cart'}"\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\n${more.body ?? 'Hello.\n\n[cart]\n'}`,
});

test('copy that says what it needs compiles', async () => {
  await expect(compileEmail(copy(), cartKind)).resolves.toMatchObject({ subject: 'Your cart' });
});

test.each([
  ['an unknown variable', copy({ body: 'Hello {{ contact.fistName }}.\n\n[cart]\n' }), /own\.liquid:7.*fistName/s],
  ['a tag that does not end', copy({ body: '{% if contact.firstName %}Hi\n\n[cart]\n' }), /own\.liquid:7/],
  ['an unknown filter', copy({ subject: '{{ store.name | shout }}' }), /own\.liquid:2.*shout/s],
  ['an address that is not https', copy({ body: 'See http://shop.example.com\n\n[cart]\n' }), /own\.liquid:7.*not https/s],
  ['no place for the products', copy({ body: 'Hello.\n' }), /\[cart\]/],
])('%s is refused with file, line and remedy', async (_what, source, message) => {
  const error: unknown = await compileEmail(source, cartKind).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toMatch(message);
});
