create function counts_as_mail(state text, channel text) returns boolean language sql immutable
return state = 'sent' and channel is not distinct from 'email';
