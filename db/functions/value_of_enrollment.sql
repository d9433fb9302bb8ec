-- What the subject was worth, whichever build wrote the row. The application reads both columns itself (operations/subject-row.ts); the test
-- of the upgrade calls this. Drop it together with `cart_value_minor`.
create function value_of_enrollment(e enrollments) returns bigint language sql immutable return coalesce(e.value_minor, e.cart_value_minor);
