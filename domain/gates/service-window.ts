import { isInServiceWindow } from '../channels/whatsapp.ts';
import { type Answer, chosenChannel, type DecisiveGate } from './gate.ts';
import { latestOf } from './latest.ts';

/**
 * By WhatsApp, free text may go out for 24 hours after the person wrote there, and templates at any time. A step whose text has no template is left out
 * where the window is closed. Composing a message chooses its form by the same function at the same instant.
 * Source: docs/rules.md#rule-50
 */
export const serviceWindow: DecisiveGate = {
  name: 'service_window',
  check(situation): Answer {
    if (chosenChannel(situation) !== 'whatsapp') return { result: 'pass', input: {} };
    const { facts, nowMs } = situation;
    const lastInboundMs = latestOf(facts.person.contacts, 'lastWhatsappMs');
    const isOpen = isInServiceWindow(lastInboundMs, nowMs);
    const forms = facts.step.whatsappForms ?? ['text', 'template'];
    const input = { lastInboundMs, isOpen };
    if (isOpen && forms.includes('text'))
      return { result: 'pass', input: { ...input, form: 'text' }, note: 'As free text: the person wrote by WhatsApp in the last 24 hours.' };
    if (forms.includes('template')) {
      const why = isOpen ? 'the step has no free text' : 'the person has not written by WhatsApp in the last 24 hours';
      return { result: 'pass', input: { ...input, form: 'template' }, note: `As a template: ${why}.` };
    }
    const note = 'Free text may only be sent within 24 hours of a WhatsApp message from the person, and the step has no template.';
    return { result: 'skip', reason: 'outside_window', input, note };
  },
};
