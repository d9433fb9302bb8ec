import { expect, test } from 'vitest';
import { withoutAddresses } from '../../operations/dispatch/without-addresses.ts';

test.each([
  ['550 5.1.1 <robin@example.com>: user unknown', '550 5.1.1 <(address)>: user unknown'],
  ["421 4.7.0 'robin+news@mail.example.com', try again", "421 4.7.0 '(address)', try again"],
  ['21610 Attempt to send to unsubscribed recipient +1 (850) 555-0123', '21610 Attempt to send to unsubscribed recipient (number)'],
  ['to=+18505550123; code 30007', 'to=(number); code 30007'],
  ['connect ECONNREFUSED 127.0.0.1:25', 'connect ECONNREFUSED 127.0.0.1:25'],
  ['timeout', 'timeout'],
])('%s', (response, kept) => {
  expect(withoutAddresses(response)).toBe(kept);
});
