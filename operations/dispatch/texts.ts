import { and, eq, isNull, or, type SQL } from 'drizzle-orm';
import { claimsIn, hasCopy, whatsappForms } from '../../content/channels/index.ts';
import { type StepTexts, type StoredScript, textsOfStep } from '../../content/step-texts.ts';
import type { Tx } from '../../db/client.ts';
import { scripts } from '../../db/schema/index.ts';
import { type Channel, isChannel, readCallConfiguration } from '../../domain/channels/index.ts';
import { chosenScript, ownTexts } from '../../domain/scripts/choose-script.ts';
import { type TestedScript, testedScripts } from './campaign-test.ts';
import type { ReadingInput, StepWorld } from './facts.ts';
import type { EnrollmentRow } from './progress.ts';
import type { Version } from './versions.ts';

export interface TextsInput {
  version: Pick<Version, 'definition' | 'content'>;
  stepId: string;
  world: Pick<StepWorld, 'subject' | 'scripts' | 'tests'>;
  enrollment: Pick<EnrollmentRow, 'campaignId' | 'enrolledAt'>;
  personId: string;
}

/** From which texts the message of a step is made, and which of its scripts stand in a test of the campaign. */
export interface ReadTexts extends StepTexts {
  testOf(channel: Channel): TestedScript | null;
}

/** From which texts the message of a step is made: those of a script, or the step's own. A test of the campaign replaces the campaign's own script. */
export async function readTexts(tx: Tx, { version, stepId, world, enrollment, personId }: TextsInput): Promise<ReadTexts> {
  const { campaignId } = enrollment;
  const tested = testedScripts(world.tests, { personId, enrolledAtMs: enrollment.enrolledAt });
  const isReplaced = (script: StoredScript) =>
    campaignId !== null &&
    script.campaignId === campaignId &&
    tested.some((t) => t.script.channel === script.channel && t.script.about === script.about);
  const step = version.definition.steps.find(({ id }) => id === stepId);
  const named = step?.script === undefined || step.script === ownTexts || step.script === chosenScript ? null : step.script;
  const known = [...tested.map(({ script }) => script), ...world.scripts.filter((script) => !isReplaced(script))].filter(
    ({ name }) => name !== named,
  );
  const all = named === null ? known : [...known, ...(await readScripts(tx, eq(scripts.name, named)))];
  const texts = textsOfStep(version.content, step, { about: world.subject.kind, campaignId }, all);
  // A script that the step names is its own, whatever is tested.
  return { ...texts, testOf: (channel) => tested.find(({ script }) => script === texts.scripts[channel]) ?? null };
}

export interface ScriptedStep {
  version: Pick<Version, 'definition' | 'content'>;
  stepId: string;
  /** The kind of subject of the sequence. */
  about: string;
}

/** The same for a step that nobody is in: its scripts are read here, not with a person's world, and no campaign has any of its own. */
export async function readTextsToShow(tx: Tx, { version, stepId, about }: ScriptedStep): Promise<StepTexts> {
  const step = version.definition.steps.find(({ id }) => id === stepId);
  const offered = or(eq(scripts.isDefault, true), step?.script === undefined ? undefined : eq(scripts.name, step.script));
  return textsOfStep(version.content, step, { about, campaignId: null }, await readScripts(tx, offered));
}

async function readScripts(tx: Tx, which: SQL | undefined): Promise<StoredScript[]> {
  const { id, channel, about, campaignId, isDefault, content, call } = scripts;
  const rows = await tx
    .select({ id, name: scripts.name, channel, about, campaignId, isDefault, content, call })
    .from(scripts)
    .where(and(which, isNull(scripts.removedAt)));
  return rows.flatMap((row): StoredScript[] =>
    isChannel(row.channel) ? [{ ...row, channel: row.channel, call: readCallConfiguration(row.call) }] : [],
  );
}

/** What the gates ask about the texts of a step. @param hasOutlet - whether messages of a channel can leave */
export const textQuestions = (
  { stored, nameOf }: StepTexts,
  hasOutlet: (channel: Channel) => boolean,
): Required<Pick<ReadingInput, 'isConnected' | 'claimsIn' | 'whatsappForms'>> => ({
  isConnected: (channel, own) => hasOutlet(channel) && hasCopy(stored, nameOf(own), channel),
  claimsIn: (own) => claimsIn(stored, nameOf(own)),
  whatsappForms: (own, locales) => whatsappForms(stored, nameOf(own), locales),
});
