/** Which of a store's bots talks with a lead: whoever takes a conversation over knows by it what was talked about. */
export const botTypes = ['lead', 'buyer', 'seller'] as const;
export type BotType = (typeof botTypes)[number];
