import type { EpochMs } from '../sequence/plan.ts';
import { chatLanguageOf, chatLanguages, type ChatLanguage } from './language.ts';
import type { ChatButton, ChatMessage, Paragraph, Plain } from './message.ts';
import { listed, type Property, type Recommendations, scarceOf } from './property.ts';
import { type ChatPhase, type ChatState, goalChoices, mostUrgent } from './state.ts';
import { buttonData, type ChatUpdate, type Intent } from './update.ts';

/** What the turn rests on besides the chat itself. */
export interface TurnFacts {
  nowMs: EpochMs;
  /** The update came in while the bot ran: what piled up before is taken in and not answered. */
  answers: boolean;
  /** null: the turn shows none, or its source gave no answer. */
  recommendations: Recommendations | null;
  /** A fresh fact says that the market moves where the lead looks. */
  hotMarket: boolean;
  /** At or below which few are left. */
  lowStockAt: number;
  /** Whom the token of `/start` names; null: there was none, or it is not valid. */
  joined: { name: string | null; phone: string | null; language: string | null } | null;
  /** What the code of `/set_admin` is worth; null: there is none. */
  adminCode: 'accepted' | 'wrong' | 'locked' | null;
  /** Alerts that wait for an admin. */
  waitingAlerts: number;
}

/** The alert for the tenant's admin: one per lead. */
export interface HotLead {
  name: string | null;
  /** E.164. */
  phone: string;
  goal: string | null;
  atMs: EpochMs;
}

/** Something that a colleague has to do. */
export interface ChatTask {
  kind: 'consultation' | 'interest' | 'question';
  /** What the lead wrote; null: a button says it all. */
  note: string | null;
}

/** What one update leads to. */
export interface Turn {
  messages: readonly ChatMessage[];
  nextPhase: ChatPhase;
  /** What became known about the lead. */
  leadChanges: Partial<Pick<ChatState, 'name' | 'phone' | 'goal' | 'language'>>;
  /** null: this turn sends no alert. */
  alert: HotLead | null;
  /** Whether `alert` is set. */
  notifyAdmin: boolean;
  counters: { urgencyScore: number; fomoMessagesSent: number };
  tasks: readonly ChatTask[];
  /** The chat becomes the tenant's admin chat. */
  registersAdmin: boolean;
  /** The chat after the turn. */
  state: ChatState;
}

/** Whether the turn shows recommendations, so that they are fetched before. */
export function showsList(state: ChatState, update: ChatUpdate, intent: Intent): boolean {
  const now = heard(state, update, intent, null);
  return now.blockedBy === null && !isOld(state, update) && actOf(now, intent) === 'list';
}

/**
 * One step of a conversation. Pure: the same input gives the same turn. Every update of a person is answered in every phase, but for what they did while
 * the bot was blocked or not running. Source: docs/rules.md#rule-68
 * @param state - before the update, under the lock of its chat
 */
export function turn(state: ChatState, update: ChatUpdate, intent: Intent, facts: TurnFacts): Turn {
  const now = heard(state, update, intent, facts.joined);
  const reaction = now.blockedBy !== null || isOld(state, update) ? silence(now) : facts.answers ? react(now, intent, facts) : takeIn(now, intent);
  const { phone } = reaction.state;
  // The lead gives the number: a number that the store knew before is no news.
  const isNews = intent.kind === 'phone' && !state.alerted && now.blockedBy === null && !isOld(state, update);
  const next = isNews ? { ...reaction.state, alerted: true } : reaction.state;
  const alert = isNews && phone !== null ? { name: next.name, phone, goal: next.goal, atMs: facts.nowMs } : null;
  return {
    messages: reaction.messages,
    nextPhase: next.phase,
    leadChanges: changesOf(state, next),
    alert,
    notifyAdmin: alert !== null,
    counters: { urgencyScore: next.urgencyScore, fomoMessagesSent: next.fomoMessagesSent },
    tasks: reaction.tasks ?? [],
    registersAdmin: facts.adminCode === 'accepted' && intent.kind === 'set_admin' && reaction.messages.length > 0,
    state: next,
  };
}

interface Reaction {
  state: ChatState;
  messages: readonly ChatMessage[];
  tasks?: readonly ChatTask[];
}

const silence = (state: ChatState): Reaction => ({ state, messages: [] });

/** Updates arrive in parallel: one from before the latest change of the block is not answered any more. */
const isOld = (state: ChatState, update: ChatUpdate) => update.id < state.standingBy;

/** The state with what the update itself says: the language, the name, the block, the phone number, the goal. */
function heard(state: ChatState, update: ChatUpdate, intent: Intent, joined: TurnFacts['joined']): ChatState {
  const known = {
    ...state,
    language: state.language ?? chatLanguageOf(update.languageCode, joined?.language ?? null),
    name: state.name ?? joined?.name ?? update.name,
    phone: state.phone ?? joined?.phone ?? null,
    ...standingAfter(state, update, intent),
  };
  if (known.blockedBy !== null || isOld(state, update)) return known;
  if (intent.kind === 'language') return { ...known, language: chatLanguageOf(intent.tag) ?? known.language };
  if (intent.kind === 'goal') return { ...known, goal: intent.goal };
  if (intent.kind === 'phone') return { ...known, phone: intent.phone, name: intent.name ?? known.name };
  // Before anything is shown, free words say what is looked for.
  const words = intent.kind === 'words' ? intent.text : null;
  return words !== null && known.goal === null && known.phase !== 'ENGAGEMENT' ? { ...known, goal: words } : known;
}

/** A block ends when its provider says so, or with a new start, which is how an app ends it. */
function standingAfter(state: ChatState, { id }: ChatUpdate, { kind }: Intent): Pick<ChatState, 'blockedBy' | 'standingBy'> {
  const { blockedBy, standingBy } = state;
  if (id < standingBy) return { blockedBy, standingBy };
  if (kind === 'blocked') return { blockedBy: id, standingBy: id };
  if (kind === 'unblocked' || (kind === 'start' && blockedBy !== null)) return { blockedBy: null, standingBy: id };
  return { blockedBy, standingBy };
}

type Act = 'list' | 'contact' | 'talk' | 'other';

/** What the update asks for in this phase. */
function actOf(state: ChatState, intent: Intent): Act {
  switch (intent.kind) {
    case 'show':
      return 'list';
    case 'goal':
    case 'words':
    case 'nothing':
      return state.phase === 'CAPTURE_CONTACT' ? 'contact' : state.phase === 'VALUE_PROPOSITION' ? 'list' : 'talk';
    case 'not_a_phone':
      // Before a number is asked for and after, digits may be anything: a budget, a year.
      if (state.phase === 'CAPTURE_CONTACT' || intent.text === null) return 'contact';
      return state.phase === 'VALUE_PROPOSITION' ? 'list' : 'talk';
    default:
      return 'other';
  }
}

/** What piled up while the bot was down: it counts, and nobody gets an answer days later. */
function takeIn(state: ChatState, intent: Intent): Reaction {
  return silence(intent.kind === 'phone' && state.phase === 'CAPTURE_CONTACT' ? { ...state, phase: 'VALUE_PROPOSITION' } : state);
}

function react(state: ChatState, intent: Intent, facts: TurnFacts): Reaction {
  switch (actOf(state, intent)) {
    case 'list':
      return list(state, facts);
    case 'contact':
      return askForContact(state, intent);
    case 'talk':
      return talk(state, intent);
    case 'other':
      return others(state, intent, facts);
  }
}

function others(state: ChatState, intent: Intent, facts: TurnFacts): Reaction {
  switch (intent.kind) {
    case 'start':
      return start(state, facts);
    case 'phone':
      return gotNumber(state);
    case 'skip':
      return state.phase === 'CAPTURE_CONTACT' ? goOn({ ...state, phase: 'VALUE_PROPOSITION' }, 'skipped_contact') : again(state, []);
    case 'interested':
      return wish(state, 'interest', state.phone === null ? 'interested_without_number' : 'interested');
    case 'consult':
      return wish(state, 'consultation', state.phone === null ? 'consultation_without_number' : 'consultation');
    case 'ask':
      return { state, messages: [says('ask_question')] };
    case 'language':
      return again(state, [{ says: 'language_chosen' }]);
    case 'choose_language':
      return { state, messages: [{ paragraphs: [{ says: 'choose_language' }], keys: languageKeys() }] };
    case 'help':
      return again(state, [{ says: 'help' }]);
    case 'opt_out':
      // The one message that confirms it.
      return { state, messages: [{ paragraphs: [{ says: 'opted_out' }], keys: 'closed' }] };
    case 'set_admin':
      return { state, messages: [adminAnswer(facts)] };
    // An unblocked bot waits until it is spoken to.
    default:
      return silence(state);
  }
}

function start(state: ChatState, { joined }: TurnFacts): Reaction {
  const isKnown = state.phone !== null || joined !== null;
  const next = { ...state, phase: state.phone !== null && state.phase === 'CAPTURE_CONTACT' ? ('VALUE_PROPOSITION' as const) : state.phase };
  const welcome: ChatMessage = {
    paragraphs: [{ says: isKnown ? 'welcome_back' : 'welcome', name: next.name }],
    keys: languageKeys(),
  };
  const { messages } = again(next, []);
  return { state: next, messages: [welcome, ...messages] };
}

/** What is asked in the phase, once more. */
function again(state: ChatState, before: readonly Paragraph[]): Reaction {
  return { state, messages: [{ paragraphs: [...before, { says: questionOf(state) }], keys: keysOf(state) }] };
}

function questionOf({ phase, goal }: ChatState): Plain {
  if (phase === 'ENGAGEMENT') return 'engaged';
  if (goal === null) return 'ask_goal';
  return phase === 'CAPTURE_CONTACT' ? 'ask_contact' : 'ask_show';
}

function keysOf({ phase, goal }: ChatState): ChatMessage['keys'] {
  if (phase === 'ENGAGEMENT') return engagedKeys;
  if (goal === null) return [goalChoices.map((choice) => ({ label: { goal: choice }, data: `goal:${choice}` }))];
  return phase === 'CAPTURE_CONTACT' ? 'share_contact' : showKeys;
}

/** After so many requests in vain, the conversation goes on without a number. */
const mostAsked = 2;

function askForContact(state: ChatState, intent: Intent): Reaction {
  const reason: Plain | null = intent.kind === 'not_a_phone' ? (intent.why === 'foreign' ? 'number_of_another' : 'number_unreadable') : null;
  if (state.phase !== 'CAPTURE_CONTACT') return { state, messages: [says(reason ?? 'ask_contact', 'share_contact')] };
  if (state.asked >= mostAsked) return goOn({ ...state, phase: 'VALUE_PROPOSITION' }, 'skipped_contact');
  const asked = { ...state, asked: state.asked + 1 };
  if (intent.kind === 'nothing' && state.goal === null) return again(asked, []);
  return { state: asked, messages: [says(reason ?? (state.asked === 0 ? 'ask_contact' : 'ask_contact_again'), 'share_contact')] };
}

function gotNumber(state: ChatState): Reaction {
  const thanks: Paragraph = { says: 'thanks_for_number', name: state.name };
  if (state.phase === 'CAPTURE_CONTACT') return goOn({ ...state, phase: 'VALUE_PROPOSITION' }, thanks);
  return goOn(state, thanks);
}

/** A message that takes the keyboard away, and what comes next: one message cannot do both. */
function goOn(state: ChatState, first: Plain | Paragraph): Reaction {
  const paragraph: Paragraph = typeof first === 'string' ? { says: first } : first;
  return { state, messages: [{ paragraphs: [paragraph], keys: 'closed' }, ...again(state, []).messages] };
}

function list(state: ChatState, { recommendations, hotMarket, lowStockAt, nowMs }: TurnFacts): Reaction {
  const properties = listed(recommendations?.properties ?? [], state.shown, nowMs);
  const engaged = { ...state, phase: 'ENGAGEMENT' as const };
  if (properties.length > 0) return matches(engaged, properties, recommendations?.message ?? null, lowStockAt);
  // The list has ended; that nothing matches at all is something else.
  if (state.shown.length > 0) return { state: engaged, messages: [{ paragraphs: [{ says: 'no_more' }], keys: consultKeys }] };
  return {
    state: { ...engaged, urgencyScore: raised(state, 2) },
    messages: [{ paragraphs: [{ says: hotMarket ? 'hot_market' : 'no_match' }], keys: consultKeys }],
  };
}

function matches(state: ChatState, properties: readonly Property[], message: string | null, lowStockAt: number): Reaction {
  const scarce = scarceOf(properties, lowStockAt);
  const paragraphs: Paragraph[] = [
    ...(message === null ? [] : [{ says: 'source_message' as const, text: message }]),
    { says: 'matches', properties },
    ...(scarce === null ? [] : [{ says: 'scarcity' as const, ...scarce }]),
  ];
  return {
    state: {
      ...state,
      urgencyScore: raised(state, 1),
      fomoMessagesSent: state.fomoMessagesSent + (scarce === null ? 0 : 1),
      shown: [...state.shown, ...properties.map(({ id }) => id)].slice(-mostRemembered),
    },
    messages: [{ paragraphs, keys: matchKeys }],
  };
}

const mostRemembered = 500;
const raised = ({ urgencyScore }: ChatState, by: number) => Math.min(mostUrgent, urgencyScore + by);

function wish(state: ChatState, kind: ChatTask['kind'], plain: Plain): Reaction {
  return { state, messages: [says(plain, state.phone === null ? 'share_contact' : null)], tasks: [{ kind, note: null }] };
}

/** A colleague reads it and answers. */
function talk(state: ChatState, intent: Intent): Reaction {
  const text = intent.kind === 'words' ? intent.text : intent.kind === 'not_a_phone' ? intent.text : null;
  if (text === null) return again(state, []);
  return { state, messages: [{ paragraphs: [{ says: 'passed_on' }], keys: engagedKeys }], tasks: [{ kind: 'question', note: text }] };
}

function adminAnswer({ adminCode, waitingAlerts }: TurnFacts): ChatMessage {
  if (adminCode === 'accepted') return { paragraphs: [{ says: 'admin_registered', waiting: waitingAlerts }], keys: 'closed' };
  return says(adminCode === 'locked' ? 'admin_code_locked' : adminCode === 'wrong' ? 'admin_code_wrong' : 'admin_code_missing');
}

const says = (plain: Plain, keys: ChatMessage['keys'] = null): ChatMessage => ({ paragraphs: [{ says: plain }], keys });

const interestedKey: ChatButton = { label: 'interested', data: buttonData.interested };
const showMoreKey: ChatButton = { label: 'show_more', data: buttonData.showMore };
const consultKey: ChatButton = { label: 'consult', data: buttonData.consult };
const askKey: ChatButton = { label: 'ask', data: buttonData.ask };
const matchKeys = [[interestedKey, showMoreKey]];
const consultKeys = [[consultKey, askKey]];
const engagedKeys = [[showMoreKey], [consultKey, askKey]];
const showKeys: readonly (readonly ChatButton[])[] = [[{ label: 'show', data: buttonData.show }], [{ label: 'language', data: buttonData.language }]];

const languageKeys = (): ChatMessage['keys'] => [
  chatLanguages.map((language: ChatLanguage): ChatButton => ({ label: { language }, data: `language:${language}` })),
];

function changesOf(before: ChatState, after: ChatState): Turn['leadChanges'] {
  return {
    ...(after.name === before.name ? {} : { name: after.name }),
    ...(after.phone === before.phone ? {} : { phone: after.phone }),
    ...(after.goal === before.goal ? {} : { goal: after.goal }),
    ...(after.language === before.language ? {} : { language: after.language }),
  };
}
