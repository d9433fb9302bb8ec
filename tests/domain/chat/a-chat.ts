import type { Property } from '../../../domain/chat/property.ts';
import { type ChatState, newChat } from '../../../domain/chat/state.ts';
import { type Turn, turn, type TurnFacts } from '../../../domain/chat/turn.ts';
import { type ChatAct, type ChatUpdate, intentOf } from '../../../domain/chat/update.ts';

export const nowMs = Date.UTC(2026, 10, 20, 9, 0);

const skips = ['Not now'];

/** A property of which three are left, stated an hour ago. */
export function aProperty(fields: Partial<Property> = {}): Property {
  return {
    id: 'tower-2',
    title: 'Lakeside Tower, 2 rooms',
    area: 'Lakeside',
    priceMinor: 41_500_000,
    currency: 'EUR',
    unitsLeft: 3,
    url: 'https://homes.example/tower-2',
    observedAtMs: nowMs - 3_600_000,
    expiresAtMs: nowMs + 86_400_000,
    ...fields,
  };
}

export const facts: TurnFacts = {
  nowMs,
  answers: true,
  recommendations: { message: null, properties: [] },
  hotMarket: true,
  lowStockAt: 5,
  joined: null,
  adminCode: null,
  waitingAlerts: 0,
};

/** A conversation, update by update. */
export class Chat {
  state: ChatState;
  turns: Turn[] = [];
  #nextId = 100;

  constructor(state: Partial<ChatState> = {}) {
    this.state = { ...newChat, ...state };
  }

  does(did: ChatAct, given: Partial<TurnFacts> = {}, update: Partial<ChatUpdate> = {}): Turn {
    const whole: ChatUpdate = { id: this.#nextId++, languageCode: 'en', name: 'Mara', did, ...update };
    const result = turn(this.state, whole, intentOf(did, { phase: this.state.phase, country: 'AT', skips }), { ...facts, ...given });
    this.state = result.state;
    this.turns.push(result);
    return result;
  }

  writes = (text: string, given: Partial<TurnFacts> = {}) => this.does({ kind: 'text', text }, given);
  presses = (data: string, given: Partial<TurnFacts> = {}) => this.does({ kind: 'button', data }, given);
  sharesNumber = (given: Partial<TurnFacts> = {}) => this.does({ kind: 'contact', phone: '436641234567', own: true, name: null }, given);
}

/** What the messages of a turn say, in order. */
export const saidIn = ({ messages }: Pick<Turn, 'messages'>): string[] => messages.flatMap(({ paragraphs }) => paragraphs.map(({ says }) => says));

/** The values of the buttons of a turn, in order. */
export const buttonsIn = ({ messages }: Pick<Turn, 'messages'>): string[] =>
  messages.flatMap(({ keys }) => (Array.isArray(keys) ? keys.flat() : []) as { data: string }[]).map(({ data }) => data);
