import type { WhatsappForm, WhatsappPayload } from '../../../domain/channels/index.ts';
import type { ChannelContent } from '../channel-content.ts';
import { compileWhatsapp } from './compile.ts';
import { type CompiledWhatsapp, compiledWhatsapp } from './compiled.ts';
import { renderTemplate, renderText } from './render.ts';

export const whatsappContent: ChannelContent<'whatsapp', CompiledWhatsapp> = {
  suffix: '.whatsapp',
  compile: async (source, purpose) => compileWhatsapp(source, purpose),
  read: (stored) => compiledWhatsapp.parse(stored),
  compose(compiled, facts, to) {
    const whatsapp = { ...facts, shortUrl: facts.links.short() };
    const [text, template] = [renderText(compiled, whatsapp), renderTemplate(compiled, whatsapp)];
    // The gate `service_window` has decided by the same; a preview of a text without a template shows the text.
    const message = facts.inServiceWindow === true ? (text ?? template) : (template ?? text);
    if (message === null) throw new Error('a text for WhatsApp says nothing');
    return { channel: 'whatsapp', to, message };
  },
};

export function formsOf({ text, template }: CompiledWhatsapp): WhatsappForm[] {
  return [...(text === null ? [] : ['text' as const]), ...(template === null ? [] : ['template' as const])];
}

/** As a preview shows it: of a template, the words lie at the provider. */
export function textOfWhatsapp({ message }: WhatsappPayload): string {
  if (message.form === 'text') return message.text;
  return [`Template ${message.name} (${message.language})`, ...message.parameters.map((value, index) => `{{${index + 1}}}: ${value}`)].join('\n');
}
