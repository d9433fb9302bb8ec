import type { CallConfiguration, Channel } from '../domain/channels/index.ts';
import { chooseScript, type ScriptOffer } from '../domain/scripts/choose-script.ts';
import type { StepDefinition } from '../domain/sequence/definition.ts';
import { copyNameOf } from './channels/index.ts';
import { isTranslationOf } from './texts-of-sequence.ts';

/** A script, with its compiled texts under `scriptContent`. */
export interface StoredScript extends ScriptOffer {
  id: string;
  content: Readonly<Record<string, unknown>>;
  /** How calls by it are made; null: it does not say. */
  call: Partial<CallConfiguration> | null;
}

/** The name under which a script keeps its compiled texts, each with the suffix of its channel and its language. */
export const scriptContent = 'script/text';

/** From which texts the messages of a step are made. */
export interface StepTexts {
  /** Compiled texts by name: those of the version, or those of scripts beside the step's own. */
  stored: Readonly<Record<string, unknown>>;
  /** The script of each channel that has one. */
  scripts: Partial<Record<Channel, StoredScript>>;
  /** Where the step's text lies in `stored`; null: it has none. */
  content: string | null;
  /** Where one of its texts lies in `stored`. @param own - the name by which the version knows it; null: the step has none */
  nameOf(own: string | null): string | null;
}

/** @param version - the compiled texts of the version that the step is of */
export function textsOfStep(
  version: Readonly<Record<string, unknown>>,
  step: Pick<StepDefinition, 'channels' | 'content' | 'script' | 'variants' | 'model' | 'offer' | 'requires'> | undefined,
  of: { about: string; campaignId: string | null },
  scripts: readonly StoredScript[],
): StepTexts {
  const chosen = new Map<Channel, StoredScript>();
  for (const channel of step === undefined || scripts.length === 0 ? [] : step.channels) {
    const script = step === undefined ? null : chooseScript(step, channel, of, scripts);
    if (script !== null) chosen.set(channel, script);
  }
  if (chosen.size === 0 || step === undefined) return { stored: version, scripts: {}, content: step?.content ?? null, nameOf: (own) => own };
  const stored: Record<string, unknown> = {};
  for (const channel of step.channels) {
    const script = chosen.get(channel);
    const name = copyNameOf(scriptContent, channel);
    const own = step.content === null ? null : copyNameOf(step.content, channel);
    if (script !== undefined) Object.assign(stored, script.content);
    else if (own !== null)
      for (const [text, compiled] of Object.entries(version))
        if (text === own || isTranslationOf(text, own)) stored[`${name}${text.slice(own.length)}`] = compiled;
  }
  return { stored, scripts: Object.fromEntries(chosen), content: scriptContent, nameOf: () => scriptContent };
}
