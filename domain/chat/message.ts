import type { ChatLanguage } from './language.ts';
import type { Property, Scarce } from './property.ts';
import type { GoalChoice } from './state.ts';

/** A paragraph of a message; `content/chat/` has its words in each language. */
export type Paragraph =
  | { says: 'welcome'; name: string | null }
  | { says: 'welcome_back'; name: string | null }
  | { says: 'thanks_for_number'; name: string | null }
  | { says: 'matches'; properties: readonly Property[] }
  /** Of the source of the recommendations, in its own words. */
  | { says: 'source_message'; text: string }
  | ({ says: 'scarcity' } & Scarce)
  | { says: 'admin_registered'; waiting: number }
  | { says: Plain };

/** Paragraphs that are the same for everybody. */
export const plainParagraphs = [
  'ask_goal',
  'ask_contact',
  'ask_contact_again',
  'number_unreadable',
  'number_of_another',
  'skipped_contact',
  'ask_show',
  'hot_market',
  'no_match',
  'no_more',
  'engaged',
  'interested',
  'interested_without_number',
  'consultation',
  'consultation_without_number',
  'ask_question',
  'passed_on',
  'choose_language',
  'language_chosen',
  'opted_out',
  'help',
  'admin_code_wrong',
  'admin_code_missing',
  'admin_code_locked',
] as const;
export type Plain = (typeof plainParagraphs)[number];

/** What is written on buttons. */
export const buttonLabels = ['interested', 'show_more', 'consult', 'ask', 'show', 'language', 'share_contact', 'skip_contact'] as const;
export type ButtonLabel = (typeof buttonLabels)[number];

/** A button under a message. `data` comes back as it is, at most 64 bytes. */
export interface ChatButton {
  label: ButtonLabel | { goal: GoalChoice } | { language: ChatLanguage };
  data: string;
}

export interface ChatMessage {
  paragraphs: readonly Paragraph[];
  /** Rows of buttons; `share_contact`: the keyboard that shares the own number or puts it off; `closed`: that keyboard is taken away; null: nothing changes. */
  keys: readonly (readonly ChatButton[])[] | 'share_contact' | 'closed' | null;
}
