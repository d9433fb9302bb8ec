// Source: developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes

/** The person has stopped marketing messages of this business in WhatsApp itself. */
export const optedOutCode = 131050;

// The number is not on WhatsApp, or its owner has not accepted its terms (131026); it is the sender's own (131021).
// Not 131049: Meta limits how much marketing a person gets, and takes the message another day.
const deadNumberCodes = new Set([131021, 131026]);

// Rate limits (4, 80007, 130429), the token or its rights (0, 3, 10, 190, 200 to 219), the account: restricted, locked, unpaid (368, 131031, 131042, 131045).
// Not 131056: too many messages to this very person.
const aboutTheAccountCodes = new Set([0, 3, 4, 10, 190, 368, 80007, 130429, 131031, 131042, 131045]);

/** Whether the number can never receive a WhatsApp message. */
export const isDeadNumber = (code: number | null): boolean => code !== null && deadNumberCodes.has(code);

/** Whether a refusal says nothing about its message. */
export const isAboutTheAccount = (code: number | null): boolean => code !== null && (aboutTheAccountCodes.has(code) || (code >= 200 && code < 220));

/** An error code as Meta writes it; null: none. */
export function readErrorCode(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 10_000_000 ? value : null;
}
