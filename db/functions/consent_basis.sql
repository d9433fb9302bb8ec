-- Rows of builds before 0008 have no basis: what came with a cart or an order was a box, all else the person.
create function consent_basis(basis text, source text) returns text language sql immutable
return coalesce(basis, case when source like 'connection:%' then 'box' else 'person' end);
