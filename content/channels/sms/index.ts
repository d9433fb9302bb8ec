import type { ChannelContent } from '../channel-content.ts';
import { checkedLanguages } from '../../model/vocabulary.ts';
import { compileSms } from './compile.ts';
import { type CompiledSms, compiledSms } from './compiled.ts';
import { renderSms } from './render.ts';
import { countSegments } from './segments.ts';

export const smsContent: ChannelContent<'sms', CompiledSms> = {
  suffix: '.sms',
  compile: async (source, purpose) => compileSms(source, purpose),
  // A model's words, and the link behind them.
  forModel: async () => Object.fromEntries(checkedLanguages.map((language) => [language, { text: '{{ words.body }} {{ link.url }}', language }])),
  read: (stored) => compiledSms.parse(stored),
  compose(compiled, facts, to) {
    const shortUrl = facts.links.short();
    const text = renderSms(compiled, { ...facts, shortUrl, optOut: facts.settings.smsOptOut, transliterates: facts.settings.smsTransliterate });
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
