import { deliverStop, type Move } from './move.ts';

// A colleague has spoken with a lead. That ends the sequences about leads and nobody's carts, and is carried to whoever turns out later to
// be the same person.

const contacted = { about: 'lead', lasts: true } as const;

/** The lead is named by its id. */
export const contactedById: Move = {
  weight: ({ subjects }, run) => (subjects[run] === 'lead' ? 3 : 0),
  make: (stage, run) =>
    deliverStop(
      stage,
      'lead.contacted',
      { lead_id: stage.people.token(run), by: 'Mara' },
      { ...contacted, kind: 'contacted_by_id', by: { run }, reaches: 'run' },
    ),
};

/** The person is named: every lead of theirs is meant. */
export const contactedByAddress: Move = {
  weight: ({ subjects }) => (subjects.some((s) => s === 'lead') ? 2.5 : 0),
  make(stage, run) {
    const address = stage.ownerOf(run);
    return deliverStop(
      stage,
      'lead.contacted',
      { contact: stage.people.contact(address) },
      { ...contacted, kind: 'contacted_by_address', by: { address } },
    );
  },
};

/** A call back to a number that two share: nobody knows which of them was spoken with, so it stops both. */
export const contactedByNumber: Move = {
  weight: ({ shape, subjects }) => (shape === 'shared_number' && subjects.some((s) => s === 'lead') ? 4 : 0),
  make: (stage, run) =>
    deliverStop(
      stage,
      'lead.contacted',
      { contact: { phone: stage.people.phone(0) } },
      { ...contacted, kind: 'contacted_by_number', by: { run }, reaches: 'everybody' },
    ),
};
