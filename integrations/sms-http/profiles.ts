import { gatewayProfile, type GatewayProfile } from './profile.ts';

/**
 * SMS-Retail. No documentation is public: this is how integrations in use talk to it.
 */
const smsRetail: GatewayProfile = gatewayProfile.parse({
  url: 'https://sms-retail.io/ext/api/v1/messages/send',
  method: 'POST',
  headers: { 'X-API-Key': '{{secret.apiKey}}' },
  json: { messages: [{ phone: '{{toDigits}}', text: '{{text}}', type: 'sms' }] },
  accepted: { id: 'messages.0.id', where: { success: ['true'] } },
  refused: [{ where: { success: ['false'] } }],
  receipts: {
    id: ['id'],
    status: ['status'],
    to: ['phone'],
    delivered: ['delivered', 'DELIVRD', 'read'],
    failed: ['failed', 'undelivered', 'UNDELIV', 'rejected', 'expired'],
    optedOut: ['opted_out', 'unsubscribed'],
  },
});

/**
 * 23Telecom, by the Alaris interface. Its errors are plain text, some of them with status 200, and a text in the mode `cut` would lose its end.
 */
const telecom23: GatewayProfile = gatewayProfile.parse({
  url: 'https://23telecomrestapi.com/sms/api',
  method: 'GET',
  query: {
    username: '{{secret.username}}',
    password: '{{secret.password}}',
    command: 'submit',
    ani: '{{from}}',
    dnis: '{{toDigits}}',
    message: '{{text}}',
    longMessageMode: 'split',
  },
  accepted: { id: 'message_id' },
  refused: [
    { text: 'Destination number', severity: 'hard' },
    { text: 'NO ROUTES', outage: true },
    // The sender is not known to the account: the configuration has to be mended.
    { text: 'SRC POI NOT FOUND', outage: true },
  ],
  plainTextIsRefusal: true,
  receipts: {
    id: ['messageId', 'dlvrMsgId', 'message_id'],
    status: ['status', 'dlvrMsgStat'],
    error: ['error_code'],
    to: ['dnis'],
    delivered: ['DELIVRD', 'delivered'],
    failed: ['UNDELIV', 'REJECTD', 'EXPIRED', 'DELETED', 'IM_EXPD', 'failed', 'undelivered', 'rejected'],
  },
  texts: { where: { command: ['mo'] }, from: ['ani'], text: ['message'] },
});

/** Gateways that need no profile of their own. */
export const profiles = { 'sms-retail': smsRetail, '23telecom': telecom23 } as const;
export type ProfileName = keyof typeof profiles;
export const profileNames = Object.keys(profiles) as [ProfileName, ...ProfileName[]];
