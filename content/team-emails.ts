import { renderPlainEmail } from './notifications/email.ts';
import { cleanLine } from './plain-text.ts';

/** An email to somebody who works with the product. */
export interface TeamEmail {
  subject: string;
  html: string;
  text: string;
}

const color = '#1f6f5c';

/** @param days - for how long the link opens */
export function invitationEmail({ store, role, url, days }: { store: string; role: string; url: string; days: number }): TeamEmail {
  const name = cleanLine(store, 80) ?? 'A store';
  const article = /^[aeo]/.test(role) ? 'an' : 'a';
  const subject = `${name} invites you`;
  const body = `${name} invites you to work with its recovery of carts and customers, as ${article} ${role}.\n\nThe link opens for ${days} days, once. Whoever has it can accept, so do not pass it on.`;
  const footer = 'If you do not know what this is about, ignore it: nothing happens.';
  return { subject, ...renderPlainEmail({ subject, body, buttons: [{ label: 'Accept the invitation', url }], footer, storeName: name, color }) };
}

export function passwordEmail({ url, minutes }: { url: string; minutes: number }): TeamEmail {
  const subject = 'A new password';
  const body = `Somebody, probably you, has asked for a new password for this address.\n\nThe link works for ${minutes} minutes, once. Everywhere else you will be signed out.`;
  const footer = 'If it was not you, ignore this: your password stays as it is.';
  return { subject, ...renderPlainEmail({ subject, body, buttons: [{ label: 'Set a new password', url }], footer, storeName: 'Rekindle', color }) };
}
