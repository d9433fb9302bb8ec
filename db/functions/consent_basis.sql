-- Rows of builds before 0008 have no basis: a statement that came with a cart or an order is a box, any other the person's own.
create function consent_basis(basis text, source text) returns text language sql immutable
return coalesce(basis, case when source like 'connection:%' then 'box' else 'person' end);
