-- A subject's details, whichever build wrote the row.
create function details_of_subject(s subjects) returns jsonb language sql immutable
return coalesce(s.details, case when s.kind = 'cart' then cart_details(s.items, s.restore_url, s.origin, s.bought) end);
