-- Only `figures_of_enrollment_2` calls this. Kept for the build before; drop both in the release after.
create function counts_as_mail(state text, channel text) returns boolean language sql immutable
return state = 'sent' and channel is not distinct from 'email';
