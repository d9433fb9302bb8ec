import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readViews } from '../../web/shell/read-views.ts';

test('views that were saved are read back', () => {
  const href = fc.string().map((rest) => `/app/shop/${rest}`);
  const views = fc.array(fc.record({ name: fc.string(), href }));
  fc.assert(
    fc.property(views, (saved) => {
      expect(readViews(JSON.stringify(saved), 'shop')).toEqual(saved);
    }),
  );
});

test('whatever else a browser has under that name is no view', () => {
  expect(readViews(null, 'shop')).toEqual([]);
  expect(readViews('{', 'shop')).toEqual([]);
  expect(readViews('{"name":"a"}', 'shop')).toEqual([]);
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(readViews(text, 'shop')).toEqual([]);
    }),
  );
});

test('a view leads to the pages of its store and nowhere else', () => {
  const hrefs = ['javascript:alert(1)', 'https://example.com/app/shop/people', '//example.com', '/app/shopper/people', '/app/other/people?q=a'];
  expect(readViews(JSON.stringify(hrefs.map((href) => ({ name: 'a', href }))), 'shop')).toEqual([]);
});
