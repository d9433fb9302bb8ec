import { fingerprintOf, type ModelFacts, modelFactsOf } from '../../content/model/facts.ts';
import { type Brief, briefNameOf, readBrief } from '../../content/model/brief.ts';
import type { BrandRules } from '../../content/model/prompt.ts';
import { claimsIn, hasCopy, whatsappForms } from '../../content/channels/index.ts';
import type { Tx } from '../../db/client.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { StepDefinition } from '../../domain/sequence/definition.ts';
import { formsOf, stepOfVariant } from '../../domain/sequence/step-of-variant.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { copyFactsOf } from '../dispatch/compose.ts';
import { type Reading, readFacts, readStep } from '../dispatch/facts.ts';
import type { EnrollmentRow, LedgerRow } from '../dispatch/progress.ts';
import type { Version, VersionCache } from '../dispatch/versions.ts';
import { readConfigured, toOutlets } from '../outlets.ts';

/** What a model's text is written from and judged by. Drawn the same way when it is composed and when it is sent. */
export interface CompositionFacts {
  brief: Brief;
  facts: ModelFacts;
  fingerprint: string;
  brand: BrandRules;
  /** Of the person, which no text may contain. */
  secrets: string[];
}

/** A step whose text a model writes, with everything that is known about it. */
export interface ModelStep {
  version: Version;
  /** As the person's variant has it: where that is a template's, without a model. */
  step: StepDefinition;
  reading: Reading;
}

/** Read what a dispatch of the step would decide by. @returns null: no model writes it, or it is in no version of its sequence any more */
export async function readModelStep(
  tx: Tx,
  deps: Deps & { versions: VersionCache },
  { enrollment, stepId, ledger }: { enrollment: EnrollmentRow; stepId: string; ledger: LedgerRow[] },
): Promise<ModelStep | null> {
  const version = await deps.versions.load(tx, enrollment.versionId);
  const written = version.definition.steps.find(({ id }) => id === stepId);
  const isModels = written !== undefined && formsOf(written).some(({ model }) => model !== undefined);
  const world = isModels ? await readStep(tx, enrollment.id) : null;
  const personId = world?.contacts.find(({ id }) => id === enrollment.contactId)?.personId;
  if (written === undefined || world === null || personId === undefined) return null;
  const outlets = toOutlets(deps, await readConfigured(tx));
  const reading = await readFacts(tx, deps.sealing, {
    world,
    plan: compilePlan(version.definition, version.version, enrollment.timeScale),
    definition: version.definition,
    enrollment,
    personId,
    ledger,
    stepId,
    isConnected: (channel, content) => outlets.forChannel(channel) !== null && hasCopy(version.content, content, channel),
    claimsIn: (name) => claimsIn(version.content, name),
    whatsappForms: (name, locales) => whatsappForms(version.content, name, locales),
    kinds: deps.subjects,
    versionOf: (versionId) => deps.versions.load(tx, versionId),
  });
  return { version, step: stepOfVariant(written, reading.variant?.variant), reading };
}

/** @returns null where the step is not a model's to write */
export function compositionFacts(version: Version, stepId: string, reading: Reading, channel: Channel, nowMs: number): CompositionFacts | null {
  const written = version.definition.steps.find(({ id }) => id === stepId);
  const step = written === undefined ? undefined : stepOfVariant(written, reading.variant?.variant);
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
    // The person's variant may have become another one of a bandit since: a text from its brief is not this one's.
    fingerprint: written?.compare === 'bandit' ? `${fingerprintOf(facts)} ${name}` : fingerprintOf(facts),
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
