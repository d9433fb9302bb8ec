-- What the build before reads in place of a segment that it does not know.
create function sequence_type_of(segment text) returns text language sql immutable
return case when segment in ('first_time', 'returning', 'high_value', 'low_stock') then segment when segment = 'customer' then 'returning'
  else 'first_time' end;
