create function value_of_enrollment(e enrollments) returns bigint language sql immutable return coalesce(e.value_minor, e.cart_value_minor);
