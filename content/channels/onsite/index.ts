import type { ChannelContent } from '../channel-content.ts';
import { compilePopup } from './compile.ts';
import { type CompiledPopup, compiledPopup } from './compiled.ts';
import { renderPopup } from './render.ts';

export const onsiteContent: ChannelContent<'onsite', CompiledPopup> = {
  suffix: '.onsite',
  compile: async (source, purpose) => compilePopup(source, purpose),
  read: (stored) => compiledPopup.parse(stored),
  compose: (compiled, facts) => renderPopup(compiled, { ...facts, clickUrl: facts.links.click() }),
};
