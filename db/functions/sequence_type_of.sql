-- The value that the build before reads where it does not know the segment.
create function sequence_type_of(segment text) returns text language sql immutable
return case when segment in ('first_time', 'returning', 'high_value', 'low_stock') then segment when segment = 'customer' then 'returning'
  else 'first_time' end;
