import { fingerprintOf, type ModelFacts, modelFactsOf } from '../../content/model/facts.ts';
import { type Brief, briefNameOf, readBrief } from '../../content/model/brief.ts';
import type { BrandRules } from '../../content/model/prompt.ts';
import type { Channel } from '../../domain/channels/index.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { copyFactsOf } from '../dispatch/compose.ts';
import type { Reading } from '../dispatch/facts.ts';
import type { Version } from '../dispatch/versions.ts';

/** What a model's text is written from and judged by. Drawn the same way when it is composed and when it is sent. */
export interface CompositionFacts {
  brief: Brief;
  facts: ModelFacts;
  fingerprint: string;
  brand: BrandRules;
  /** Of the person, which no text may contain. */
  secrets: string[];
}

/** @returns null where the step is not a model's to write */
export function compositionFacts(version: Version, stepId: string, reading: Reading, channel: Channel, nowMs: number): CompositionFacts | null {
  const step = version.definition.steps.find(({ id }) => id === stepId);
  const name = step?.model === undefined ? null : briefNameOf(step.model.brief);
  if (name === null || !Object.hasOwn(version.content, name)) return null;
  const brief = readBrief(version.content[name]);
  const { person } = reading;
  const facts = modelFactsOf({
    facts: copyFactsOf(reading, { ...noMessage, nowMs }),
    brief,
    channel,
    orders: reading.purchases.orderCount,
    lastName: person.lastName,
  });
  return {
    brief,
    facts,
    fingerprint: fingerprintOf(facts),
    brand: brandOf(reading.settings),
    secrets: person.lastName === null ? [] : [person.lastName],
  };
}

const brandOf = ({ brandVoice, modelBannedWords, modelRequiredWords }: TenantSettings): BrandRules => ({
  voice: brandVoice,
  banned: modelBannedWords,
  required: modelRequiredWords,
});

/** There is no message yet, and no link leaves. */
const noMessage = {
  links: { click: () => '', short: () => '', open: () => null, unsubscribe: () => '' },
  isFirst: false,
  sendKey: { enrollmentId: '', stepId: '' },
  offer: null,
};
