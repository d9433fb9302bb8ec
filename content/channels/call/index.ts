import { callConfiguration } from '../../../domain/channels/index.ts';
import type { ChannelContent } from '../channel-content.ts';
import { compileCall } from './compile.ts';
import { type CompiledCall, compiledCall } from './compiled.ts';
import { renderCall } from './render.ts';

export const callContent: ChannelContent<'call', CompiledCall> = {
  suffix: '.call',
  compile: async (source, purpose) => compileCall(source, purpose),
  read: (stored) => compiledCall.parse(stored),
  compose(compiled, facts, to) {
    const { firstName, lastName } = facts.contact;
    const name = [firstName, lastName]
      .filter((part) => part !== null)
      .join(' ')
      .replace(/\s+/g, ' ')
      .trim();
    const variables = { firstName, storeName: facts.store.name };
    return {
      channel: 'call',
      to,
      name: name === '' ? null : name,
      opening: renderCall(compiled, facts),
      language: compiled.language,
      variables: Object.fromEntries(Object.entries(variables).flatMap(([key, value]) => (value === null ? [] : [[key, value]]))),
      configuration: callConfiguration(compiled, facts.callConfiguration),
      dateMs: facts.nowMs,
    };
  },
};
