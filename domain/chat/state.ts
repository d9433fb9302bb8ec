import type { ChatLanguage } from './language.ts';

/**
 * Where a conversation stands. `CAPTURE_CONTACT` asks for contact details, `VALUE_PROPOSITION` shows matches next, and
 * `ENGAGEMENT` talks on. Independent of every other status of a lead.
 */
export const chatPhases = ['CAPTURE_CONTACT', 'VALUE_PROPOSITION', 'ENGAGEMENT'] as const;
export type ChatPhase = (typeof chatPhases)[number];

/** What somebody looks for, by button. In their own words it is any other text. */
export const goalChoices = ['buy', 'rent', 'invest'] as const;
export type GoalChoice = (typeof goalChoices)[number];
export const isGoalChoice = (goal: string): goal is GoalChoice => goalChoices.some((choice) => choice === goal);

/** One chat, between two updates. */
export interface ChatState {
  phase: ChatPhase;
  /** null: not known, and English is spoken. */
  language: ChatLanguage | null;
  name: string | null;
  /** E.164. */
  phone: string | null;
  /** A choice, or the person's own words. */
  goal: string | null;
  /** 0 to 10. */
  urgencyScore: number;
  /** How many messages with a scarcity line were shown. */
  fomoMessagesSent: number;
  /** How often contact details were asked for in vain. */
  asked: number;
  /** The colleague was told about this lead. */
  alerted: boolean;
  /** The update by which the person blocked the bot; null: it is not blocked. */
  blockedBy: number | null;
  /** The latest update that said whether the bot is blocked: an older one that arrives late says nothing. */
  standingBy: number;
  /** The properties that were shown, the latest last. */
  shown: readonly string[];
}

export const newChat: ChatState = {
  phase: 'CAPTURE_CONTACT',
  language: null,
  name: null,
  phone: null,
  goal: null,
  urgencyScore: 0,
  fomoMessagesSent: 0,
  asked: 0,
  alerted: false,
  blockedBy: null,
  standingBy: 0,
  shown: [],
};

export const mostUrgent = 10;
