export * from './subjects/cart/episodes.ts';
