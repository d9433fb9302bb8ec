import type { NotificationCause } from '../../../domain/notifications/cause.ts';
import type { TaskAction } from '../../../domain/notifications/links.ts';
import type { TenantSettings } from '../../../domain/tenant-settings.ts';
import type { Deadline, SendOutcome } from '../../../integrations/port.ts';
import type { Clock } from '../../clock.ts';
import type { Outlets } from '../../outlets.ts';

/** A notification as it is handed over. */
export interface NotificationMessage {
  id: string;
  subject: string | null;
  /** Plain text. */
  body: string;
  /** Where the page with everything that can be done is, and where each action is. */
  links: Record<TaskAction | 'task', string>;
  /** For programs. Personal data. */
  task: Readonly<Record<string, unknown>>;
  cause: NotificationCause;
  /** Epoch milliseconds. */
  atMs: number;
}

/** What a target stores, sealed. */
export interface TargetConfig {
  address: string;
  /** What a webhook is signed with. */
  secret?: string;
}

/** The way that a notification takes. `send` never throws after the first byte that may count. */
export interface NotificationWay {
  /** Names the account at the provider; no secret in it. */
  account: string;
  send(message: NotificationMessage, deadline: Deadline): Promise<SendOutcome>;
  /** How the receiver is asked after a message in doubt, from so long after the call on; null: it cannot be. `ask` throws where the answer settles nothing. */
  question: { settleAfterMs: number; ask(message: NotificationMessage): Promise<'accepted' | 'not_accepted'> } | null;
}

export interface WayContext {
  clock: Clock;
  outlets: Outlets;
  /** The account that a call in doubt went through: no other can answer for it; null: whatever the store has now. */
  account: string | null;
  settings: TenantSettings;
  publicUrl: string;
}

/** One channel of notifications: a file beside this one and a line in `index.ts`. */
export interface NotificationOutlet {
  /** @returns the address as it is stored, or what is wrong with it */
  readAddress(text: string, settings: Pick<TenantSettings, 'country'>): { address: string } | { fault: string };
  /** How an address is shown: what lets somebody in is left out. */
  show(address: string): string;
  /** Whether the receiver recognises a repeat, so that one that may have arrived may be sent again. */
  isRepeatable: boolean;
  /** Whether it is signed with a secret of the target's. */
  isSigned: boolean;
  /** @returns null: the store has no such account, which `missing` explains */
  way(config: TargetConfig, context: WayContext): NotificationWay | null;
  missing: string;
}
