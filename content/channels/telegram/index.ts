import type { ChannelContent } from '../channel-content.ts';
import { compileTelegram } from './compile.ts';
import { type CompiledTelegram, compiledTelegram } from './compiled.ts';
import { renderButtons, renderTelegram } from './render.ts';

export const telegramContent: ChannelContent<'telegram', CompiledTelegram> = {
  suffix: '.telegram',
  compile: async (source, purpose) => compileTelegram(source, purpose),
  read: (stored) => compiledTelegram.parse(stored),
  compose(compiled, facts, to) {
    const telegram = { ...facts, shortUrl: facts.links.short() };
    return { channel: 'telegram', to, text: renderTelegram(compiled, telegram), buttons: renderButtons(compiled, telegram) };
  },
};
