import type { Sender } from '../integrations/port.ts';
import { type CompiledPreset, compilePreset } from '../operations/publish-sequence.ts';

/** Takes everything at once: what is measured is ours, not a provider's. */
export const nullSender: Sender = {
  channel: 'email',
  account: 'null',
  times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
  reconciliation: { kind: 'none' },
  open: async () => ({ send: async () => ({ kind: 'accepted', providerMessageId: null, response: '250' }), close() {} }),
};

/** The first email is due two hours after the cart was left, the next ones four hours apart. */
export const firstDueHours = 2;
export const spacingHours = 4;

const copy = '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.\n\n[cart]\n';

/** A sequence of plain emails, by default five. */
export async function mailsInARow(steps = 5): Promise<CompiledPreset> {
  const content = { 'bench/mail': { file: 'bench/mail.liquid', text: copy } };
  const yaml = `
sequence: bench
name: Mails in a row
on: cart.abandoned
quietFor: 1h
stopOn: [purchased, replied, opted_out]
maxAge: 365d
reentry: once-per-subject
goal: { event: order.placed, within: 7d }
steps:
${Array.from({ length: steps }, (_, i) => `  - { id: mail_${i + 1}, at: ${firstDueHours + i * spacingHours}h, channel: email, content: bench/mail }`).join('\n')}
`;
  return compilePreset({ file: 'bench.yaml', yaml, copy: content });
}
