export * from './subjects/cart/fold.ts';
