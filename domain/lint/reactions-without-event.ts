import { channels } from '../channels/index.ts';
import type { Finding, LintRule } from './finding.ts';

/** Reactions to events that never come: a step without a message is never opened, text messages report no opens, and a store may choose not to track them. */
export const reactionsWithoutEvent: LintRule = ({ definition, settings }) =>
  definition.steps.flatMap(({ on }, index): Finding[] => {
    const message = on === undefined || on.event === 'asked_later' ? undefined : definition.steps.find(({ id }) => id === on.step);
    if (on === undefined || message === undefined) return [];
    const finding = (text: string): Finding[] => [{ rule: 'unreachable', severity: 'warning', path: ['steps', index, 'on'], message: text }];
    const ways = message.channels.filter((channel) => channels[channel].carriesCopy);
    if (ways.length === 0) return finding(`waits for something that never happens: \`${message.id}\` sends nothing. Name a step that does`);
    if (on.event !== 'opened' || (settings.trackOpens && ways.some((channel) => channels[channel].tellsOpens === true))) return [];
    const why = settings.trackOpens ? `no open is reported by ${ways.join(' or ')}` : 'the store does not track opens (`trackOpens`)';
    return finding(`reacts only to a click, which counts as an open: ${why}. Write message.clicked where that is meant`);
  });
