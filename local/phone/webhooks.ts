import { signTwilioForm } from '../../integrations/twilio/sign.ts';
import type { Line, Text } from './text-store.ts';

/** Report what became of a text. @throws Error when the API does not take it */
export function sendReceipt(line: Line, text: Text, status: string, closing: AbortSignal): Promise<void> {
  return deliver(line, closing, { SmsSid: text.sid, SmsStatus: status, MessageStatus: status, MessageSid: text.sid, To: text.to, From: text.from });
}

/** Deliver what a person wrote. @throws Error when the API does not take it */
export function sendInbound(line: Line, text: Text, closing: AbortSignal): Promise<void> {
  const { sid, from, to, body } = text;
  return deliver(line, closing, {
    SmsMessageSid: sid,
    SmsSid: sid,
    MessageSid: sid,
    SmsStatus: 'received',
    NumMedia: '0',
    NumSegments: '1',
    From: from,
    To: to,
    Body: body,
  });
}

async function deliver(line: Line, closing: AbortSignal, fields: Record<string, string>): Promise<void> {
  const body = new URLSearchParams({ ...fields, AccountSid: line.accountSid, ApiVersion: '2010-04-01' }).toString();
  const response = await fetch(line.webhookUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': signTwilioForm(line.authToken, line.webhookUrl, body),
    },
    body,
    redirect: 'manual',
    signal: AbortSignal.any([closing, AbortSignal.timeout(15_000)]),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`The webhook answered ${response.status}.`);
}
