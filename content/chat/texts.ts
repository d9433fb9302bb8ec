import type { ButtonLabel, Plain } from '../../domain/chat/message.ts';
import type { GoalChoice } from '../../domain/chat/state.ts';

/** A sentence with a number, by the plural forms of its language (CLDR). `{n}` is the number. */
export type Counted = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** A greeting for somebody whose name is known, as `{name}`, and for somebody else. */
interface Greeting {
  named: string;
  nameless: string;
}

/** All that the bot says in one language. One file a language; `{…}` are values. */
export interface ChatTexts {
  /** The language in itself. */
  name: string;
  welcome: Greeting;
  welcomeBack: Greeting;
  thanksForNumber: Greeting;
  plain: Readonly<Record<Plain, string>>;
  matches: string;
  /** `{date}`: when what is said of a property was so. */
  asOf: string;
  unitsLeft: Counted;
  scarcity: Counted;
  /** `{title}`: of the property, where several are listed. */
  scarcityOf: Counted;
  adminRegistered: string;
  waitingAlerts: Counted;
  labels: Readonly<Record<ButtonLabel, string>>;
  goals: Readonly<Record<GoalChoice, string>>;
  alert: { title: string; name: string; phone: string; goal: string; time: string; unknown: string };
}
