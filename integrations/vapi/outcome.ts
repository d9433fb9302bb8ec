// Source: docs.vapi.ai/calls/call-ended-reason. Errors of speech, models and providers, of which there are hundreds, are none of these.

const answered = new Set([
  'customer-ended-call',
  'customer-ended-call-during-transfer',
  'customer-ended-call-before-warm-transfer',
  'customer-ended-call-after-warm-transfer-attempt',
  'assistant-ended-call',
  'assistant-ended-call-with-hangup-task',
  'assistant-ended-call-after-message-spoken',
  'assistant-said-end-call-phrase',
  'assistant-forwarded-call',
  'exceeded-max-duration',
  'silence-timed-out',
  'vonage-completed',
]);

const notReached = new Set([
  'customer-did-not-answer',
  'customer-busy',
  'voicemail',
  'twilio-failed-to-connect-call',
  'vonage-failed-to-connect-call',
  'vonage-rejected',
  'twilio-reported-customer-misdialed',
  'manually-canceled',
  'scheduled-call-deleted',
  'call-deleted',
]);

/** How a call ended, by its reason alone: that it has ended says nothing. */
export function outcomeOf(endedReason: string): 'answered' | 'not_reached' | 'failed' {
  if (answered.has(endedReason)) return 'answered';
  return notReached.has(endedReason) || /customer-(?:busy|did-not-answer)|sip-4\d\d|sip-6\d\d/.test(endedReason) ? 'not_reached' : 'failed';
}

/** The number does not exist. */
export const isDeadNumber = (endedReason: string): boolean => endedReason === 'twilio-reported-customer-misdialed';
