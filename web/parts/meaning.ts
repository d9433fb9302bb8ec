/** What figures mean, in the words of whoever owns a shop. docs/api.md has the exact rules. */
export const meaning = {
  attributed:
    'Orders of people who had been written to, paid within the sequence’s window, less refunds and cancellations. Some of them would have ordered anyway: the comparison beside says how many.',
  credited:
    'Money of orders that a message came before, each order given to the last of its messages, less refunds and cancellations. Some of it would have come anyway.',
  caused:
    'What people who get messages spent beyond what the same number of people who are left out by chance spent, since the sequence leaves somebody out. The line shows where the truth lies, 95 times of 100; where it reaches zero, it may have caused nothing.',
  recoveryRate:
    'Of the carts and leads whose sequence began in these days, the share that ended with an order. In brackets: where the true share lies, 95 times of 100.',
  running: 'People who are in a sequence now: the next step is planned, on hold, or about to be decided.',
  sent: 'Messages of all channels that a provider has accepted. One whose outcome is not known counts as carried out, but not as sent.',
  dueSoon:
    'Steps whose time comes within the next 24 hours. Each is decided when it is due: whoever has bought by then, or has opted out, gets nothing.',
  withWithout:
    'Some people are left out by chance, and get nothing. What they order all the same shows what would have come without any message. The lines show where the true share lies, 95 times of 100.',
  attention: 'What cannot go on by itself, and what is not as it should be.',
} as const;
