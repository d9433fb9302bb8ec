import type { ChannelContent } from '../channel-content.ts';
import { compilePush } from './compile.ts';
import { type CompiledPush, compiledPush } from './compiled.ts';
import { renderPush } from './render.ts';

export const pushContent: ChannelContent<'push', CompiledPush> = {
  suffix: '.push',
  compile: async (source, purpose) => compilePush(source, purpose),
  read: (stored) => compiledPush.parse(stored),
  compose: (compiled, facts, to) => renderPush(compiled, { ...facts, shortUrl: facts.links.short() }, to),
};
