import { byHand } from './by-hand.ts';
import { changeOfHands } from './change-of-hands.ts';
import { contactedByAddress, contactedById, contactedByNumber } from './contacted.ts';
import { mergeByContact, mergeByLead } from './merge.ts';
import type { Move } from './move.ts';
import { optOut, textOptOut, unsubscribe } from './opt-out.ts';
import { purchaseByAddress, purchaseByToken, purchaseWithNumber } from './purchase.ts';
import { reply } from './reply.ts';

/** What arrives in a history. */
export const moves = {
  purchase_by_token: purchaseByToken,
  purchase_by_address: purchaseByAddress,
  purchase_with_number: purchaseWithNumber,
  contacted_by_id: contactedById,
  contacted_by_address: contactedByAddress,
  contacted_by_number: contactedByNumber,
  reply,
  opt_out: optOut,
  text_opt_out: textOptOut,
  unsubscribe,
  by_hand: byHand,
  merge_by_contact: mergeByContact,
  merge_by_lead: mergeByLead,
  change_of_hands: changeOfHands,
};
export type MoveName = keyof typeof moves;

/** @throws where no move has this name */
export function moveNamed(name: string): Move {
  const move = new Map<string, Move>(Object.entries(moves)).get(name);
  if (move === undefined) throw new Error(`no move is called ${name}`);
  return move;
}
