import type { ChannelContent } from '../channel-content.ts';
import { compileSms } from './compile.ts';
import { type CompiledSms, compiledSms } from './compiled.ts';
import { renderSms } from './render.ts';
import { countSegments } from './segments.ts';

/** A model's words, and the link behind them. */
const modelSms: CompiledSms = { text: '{{ words.body }} {{ link.url }}', language: 'en' };

export const smsContent: ChannelContent<'sms', CompiledSms> = {
  suffix: '.sms',
  compile: async (source, purpose) => compileSms(source, purpose),
  forModel: async () => ({ '': modelSms, '.rtl': modelSms }),
  read: (stored) => compiledSms.parse(stored),
  compose(compiled, facts, to) {
    const shortUrl = facts.links.short();
    const inLanguage = facts.words === undefined ? compiled : { ...compiled, language: facts.words.language };
    const text = renderSms(inLanguage, { ...facts, shortUrl, optOut: facts.settings.smsOptOut });
    return {
      channel: 'sms',
      to,
      from: facts.settings.smsSender,
      text,
      shortUrl: text.includes(shortUrl) ? shortUrl : null,
      segments: countSegments(text).segments,
    };
  },
};
