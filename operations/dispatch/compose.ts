import { type Composed, composeMessage, composeWritten } from '../../content/channels/index.ts';
import type { CopyFacts } from '../../content/copy-facts.ts';
import { type Channel, channels } from '../../domain/channels/index.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import type { Deps } from '../deps.ts';
import { commonFactsOf } from './common-facts.ts';
import type { EnrollmentRow } from './progress.ts';
import type { Reading } from './facts.ts';
import type { Version } from './versions.ts';

export interface ComposeInput {
  deps: Pick<Deps, 'links' | 'publicUrl'>;
  version: Version;
  reading: Reading;
  enrollment: EnrollmentRow;
  stepId: string;
  messageId: string;
  channel: Channel;
  /** What a model has written; null: the template goes out. */
  words: WrittenWords | null;
  nowMs: number;
}

/** The message of a step on a channel, complete and ready to be pinned: nothing is read after this. */
export function compose({ deps, version, reading, enrollment, stepId, messageId, channel, words, nowMs }: ComposeInput): Composed {
  const content = reading.variant?.variant.content ?? version.definition.steps.find((s) => s.id === stepId)?.content ?? null;
  const to = channels[channel].address === null ? '' : reading.addresses[channel];
  if (to === undefined) throw new Error(`step ${stepId} of ${version.slug} v${version.version} goes to no address by ${channel}`);
  const { settings, person } = reading;
  const common = commonFactsOf(reading);
  const target = { tenantId: enrollment.tenantId, messageId };
  const link = (path: string, purpose: 'unsubscribe' | 'open' | 'click') => `${deps.publicUrl}/${path}/${deps.links.sign({ purpose, ...target })}`;
  const copyFacts: CopyFacts = {
    ...common,
    settings,
    contact: { ...common.contact, lastName: person.lastName },
    links: {
      click: () => link('c', 'click'),
      short: () => `${deps.publicUrl}/s/${deps.links.signShort(target)}`,
      open: () => (settings.trackOpens ? link('o', 'open') : null),
      unsubscribe: () => link('u', 'unsubscribe'),
    },
    isFirst: !reading.usedChannels.has(channel),
    sendKey: { enrollmentId: enrollment.id, stepId },
    nowMs,
  };
  if (words !== null && content !== null) return composeWritten(version.content, content, channel, { ...copyFacts, words }, to);
  return composeMessage(version.content, content, channel, copyFacts, to);
}
