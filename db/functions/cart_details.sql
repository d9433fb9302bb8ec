-- A subject is of any kind: what only carts have moves to `details`, and the value and the segment get general names.
--
-- The build before reads and writes the old columns, so triggers copy each write to the other side, column by column: `before update of`
-- fires for the columns that a statement sets, and only for them. Rows that nobody has written since are not filled here, because that would
-- write every cart and every enrollment in one transaction; the functions below read both kinds of rows. Filling them in batches, and dropping
-- the old columns, is for the release after.

-- The details of a cart as the old columns have them: version 1 of `domain/subjects/cart/details.ts`.
create function cart_details(items jsonb, restore_url text, origin text, bought jsonb) returns jsonb language sql immutable
return jsonb_build_object('items', coalesce(items, '[]'), 'restoreUrl', restore_url, 'origin', origin, 'bought', bought);
