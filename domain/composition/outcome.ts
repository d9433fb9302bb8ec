/** Why a step that a model was to write went out as its template. Reaches `explain`: renaming one is a breaking change. */
export const templateReasons = [
  'not_composed',
  'composing',
  'lost',
  'not_connected',
  'over_budget',
  'timed_out',
  'rate_limited',
  'refused',
  'invalid_answer',
  'truncated',
  'wrong_key',
  'unavailable',
  'language',
  'guard',
  'stale',
  'awaiting_approval',
  'rejected',
  'other_channel',
  'no_layout',
] as const;
export type TemplateReason = (typeof templateReasons)[number];

/** What the model's text breaks. Each is a rule of `content/model/guard.ts`. */
export const guards = [
  'shape',
  'length',
  'markup',
  'link',
  'number',
  'price',
  'code',
  'name',
  'claim',
  'urgency',
  'discount',
  'language',
  'banned_word',
  'required_word',
  'personal_data',
  'instructions',
] as const;
export type Guard = (typeof guards)[number];

/** Who says what a step says, stored with the decision to send it. */
export type CopyChoice = { by: 'model' } | { by: 'template'; reason: TemplateReason; guard: Guard | null };

const words: Record<TemplateReason, string> = {
  not_composed: 'the model was not asked, because there was no time before the step was due',
  composing: 'the model had not answered by then',
  lost: 'the worker that asked the model ended before it stored the answer, and nobody pays for it twice',
  not_connected: 'no model is connected',
  over_budget: 'the budget for models is used up for today',
  timed_out: 'the model did not answer in time',
  rate_limited: 'the model’s provider limits how often it is asked',
  refused: 'the model refused to write it',
  invalid_answer: 'the model’s answer did not have the asked shape',
  truncated: 'the model’s answer broke off',
  wrong_key: 'the model’s provider does not accept the key',
  unavailable: 'the model’s provider could not be reached, or failed',
  language: 'model texts in this language cannot be checked',
  guard: 'the model’s text broke a rule',
  stale: 'what the text was written about has changed since',
  awaiting_approval: 'nobody had approved the text by then',
  rejected: 'a person rejected the text',
  other_channel: 'the text was written for another channel',
  no_layout: 'the version has no layout for the text of a model',
};

const guardWords: Record<Guard, string> = {
  shape: 'a part of it was missing',
  length: 'it was too long or too short',
  markup: 'it contained markup',
  link: 'it contained an address',
  number: 'it contained a number that is not among the facts',
  price: 'it contained a price that is not among the facts',
  code: 'it contained a code that is not among the facts',
  name: 'it named something that is not among the facts',
  claim: 'it claimed what no fact supports',
  urgency: 'it hurried the reader without a fact',
  discount: 'it promised a discount that does not exist',
  language: 'it was in another language',
  banned_word: 'it contained a word that the store does not want',
  required_word: 'it lacked a word that it must contain',
  personal_data: 'it contained personal data',
  instructions: 'it spoke of its instructions',
};

/** Completes "The template went out: …". */
export function wordsForTemplate(reason: TemplateReason, guard: Guard | null): string {
  return guard === null ? words[reason] : `${words[reason]} (${guardWords[guard]})`;
}
