/** What the API keeps nothing of, so this browser remembers it of each store. */
const rehearsedKey = (store: string): string => `rekindle.rehearsed.${store}`;

export const noteRehearsed = (store: string): void => localStorage.setItem(rehearsedKey(store), 'yes');

export const wasRehearsed = (store: string): boolean => localStorage.getItem(rehearsedKey(store)) !== null;
