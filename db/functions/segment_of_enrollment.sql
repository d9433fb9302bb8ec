create function segment_of_enrollment(e enrollments) returns text language sql immutable return coalesce(e.segment, e.sequence_type);
