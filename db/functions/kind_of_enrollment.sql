create function kind_of_enrollment(e enrollments) returns text language sql immutable return coalesce(e.subject_kind, 'cart');
