-- The details of a cart from the columns of builds before `subjects.details`: version 1 of `domain/subjects/cart/details.ts`.
create function cart_details(items jsonb, restore_url text, origin text, bought jsonb) returns jsonb language sql immutable
return jsonb_build_object('items', coalesce(items, '[]'), 'restoreUrl', restore_url, 'origin', origin, 'bought', bought);
