import { expect, test } from 'vitest';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { parseScenario } from '../../../domain/rehearsal/scenario.ts';
import { transcriptOf } from '../../../domain/rehearsal/transcript.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

// In which form a WhatsApp message goes out, as a rehearsal says it. docs/rules.md#rule-50

const yaml = `
sequence: chats
name: Chats
on: cart.abandoned
maxAge: 30d
stopOn: [purchased, opted_out]
steps:
  - { id: first, at: 2h, channel: whatsapp, content: cart/first }
  - { id: second, at: 24h, channel: whatsapp, content: cart/second }
  - { id: third, at: 72h, channel: whatsapp, content: cart/third }
`;

/** By step, what a rehearsal says about it. */
function said(scenario: string): Record<string, string | null> {
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const read = parseScenario(`channels: [whatsapp]\n${scenario}`, parsed.definition);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const { events } = transcriptOf(rehearse(parsed.definition, read.value.events, read.value.setting), read.value);
  const about = events.filter(({ kind, step }) => step !== null && (kind === 'sent' || kind === 'skipped'));
  return Object.fromEntries(about.map(({ kind, step, reason, note }) => [step, kind === 'sent' ? note : `${reason}: ${note}`]));
}
const text = expect.stringMatching(/^As free text:/) as unknown;
const asTemplate = expect.stringMatching(/^As a template:/) as unknown;

test('who never wrote gets templates', () => {
  expect(said('')).toEqual({ first: asTemplate, second: asTemplate, third: asTemplate });
});

test('a message by WhatsApp opens the window for a day; one by email does not', () => {
  expect(said('events: [{ at: 23h, event: reply, channel: whatsapp }]')).toEqual({ first: asTemplate, second: text, third: asTemplate });
  expect(said('events: [{ at: 23h, event: reply, channel: email }]')).toEqual({ first: asTemplate, second: asTemplate, third: asTemplate });
  expect(said('wroteByWhatsapp: 1h')).toEqual({ first: text, second: asTemplate, third: asTemplate });
});

test('steps that have free text alone are left out where the window is closed', () => {
  const closed = expect.stringMatching(/^outside_window: Free text may only be sent/) as unknown;
  expect(said('wroteByWhatsapp: 1h\nwhatsappForms: [text]')).toEqual({ first: text, second: closed, third: closed });
});
