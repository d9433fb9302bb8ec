-- Both sides are equal once a row was written; before, the new one is null.
create function value_of_subject(s subjects) returns bigint language sql immutable return coalesce(s.value_minor, s.total_minor);
