import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../cli/main.ts';

// `rekindle lint` compiles the texts beside a file, as publishing does.

const mail = (body: string) => `---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\n${body}\n\n[cart]\n`;

/** A sequence with its texts in a folder of its own, linted. */
async function lint(texts: Record<string, string>, step = '{ id: mail, at: 2h, channel: email, content: spring/mail }') {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-lint-'));
  mkdirSync(join(folder, 'spring'));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, 'spring', name), text);
  const file = join(folder, 'spring.yaml');
  writeFileSync(file, `sequence: spring\nname: Spring\non: cart.abandoned\nmaxAge: 7d\nsteps:\n  - ${step}\n`);
  const said: string[] = [];
  const collect = (line: string) => void said.push(line);
  const status = await main(['lint', file], collect, collect);
  return { status, said: said.join('\n').replaceAll(`${folder}/`, '') };
}

test('a misspelt variable is an error with its line and what was probably meant, in every text that has one', async () => {
  const { status, said } = await lint({
    'mail.liquid': mail('Hi {{ contact.fistName | default: "there" }},'),
    'mail.de.liquid': mail('Hallo {{ contact.firstName | default: "du" }},\n\n{{ storre.name }}'),
  });
  expect(status).toBe(1);
  expect(said).toMatch(/^spring\/mail\.liquid:7:1: error: .*contact\.fistName.*did you mean `?contact\.firstName/m);
  expect(said).toMatch(/^spring\/mail\.de\.liquid:9:1: error: .*storre/m);
});

test('texts that can be published are nothing to speak about, and a file without texts is judged alone', async () => {
  const good = await lint({ 'mail.liquid': mail('Hi {{ firstName | default: "there" }},') });
  expect(good).toMatchObject({ status: 0 });
  expect(good.said).not.toContain('spring/');
  expect((await lint({})).status).toBe(0);
});

test('a text of a step with an offer names its code', async () => {
  const { status, said } = await lint({ 'mail.liquid': mail('Hello.') }, '{ id: mail, at: 2h, channel: email, content: spring/mail, offer: true }');
  expect(status).toBe(1);
  expect(said).toContain('spring/mail.liquid:1:1: error: step mail brings an offer, and this text does not name its code');
});
