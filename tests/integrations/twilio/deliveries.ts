export const accountSid = 'AC00000000000000000000000000000001';
export const messageSid = 'SM00000000000000000000000000000001';
/** A person's number, and ours. */
export const theirs = '+436641234567';
const ours = '+15005550006';

/** A text that a person sent, as Twilio delivers it. */
export function inbound(text: string, more: Record<string, string> = {}): Buffer {
  return form({
    ToCountry: 'US',
    SmsMessageSid: messageSid,
    NumMedia: '0',
    ToCity: '',
    SmsSid: messageSid,
    SmsStatus: 'received',
    Body: text,
    FromCountry: 'AT',
    To: ours,
    NumSegments: '1',
    MessageSid: messageSid,
    AccountSid: accountSid,
    From: theirs,
    ApiVersion: '2010-04-01',
    ...more,
  });
}

/** A receipt. */
export function status(messageStatus: string, more: Record<string, string> = {}): Buffer {
  return form({
    SmsSid: messageSid,
    SmsStatus: messageStatus,
    MessageStatus: messageStatus,
    To: theirs,
    MessageSid: messageSid,
    AccountSid: accountSid,
    From: ours,
    ApiVersion: '2010-04-01',
    ...more,
  });
}

function form(fields: Record<string, string>): Buffer {
  return Buffer.from(new URLSearchParams(fields).toString());
}
