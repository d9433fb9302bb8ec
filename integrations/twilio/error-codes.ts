// Source: twilio.com/docs/api/errors

/** The person answered STOP to this number or service, and Twilio takes no more texts for them. */
export const optedOutCode = 21610;

// No such number (21211, 21217), not a mobile one (21614), blocked for texts (30004), unknown or no longer in use (30005), a landline (30006).
// Not 30003: a handset that is switched off or out of reach is reached another day.
const deadNumberCodes = new Set([21211, 21217, 21614, 30004, 30005, 30006]);

/** Whether the number can never receive a text. */
export function isDeadNumber(code: number | null): boolean {
  return code !== null && deadNumberCodes.has(code);
}

/** An error code as Twilio writes it, in JSON or in a form; null: none. */
export function readErrorCode(value: unknown): number | null {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return /^\d{4,6}$/.test(text) ? Number(text) : null;
}
