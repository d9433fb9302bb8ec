import { deliverStop, type Move } from './move.ts';

export const reply: Move = {
  weight: () => 2,
  make(stage, run) {
    const address = stage.ownerOf(run);
    const channel = address.startsWith('+') ? 'sms' : 'email';
    return deliverStop(
      stage,
      'message.received',
      { contact: stage.people.contact(address), channel, text: 'Is it still there?' },
      { kind: 'reply', by: { address } },
    );
  },
};
