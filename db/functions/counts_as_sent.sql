-- Whether a message counts as sent. One of unknown outcome does not; it counts as a step that went out (`counts_as_step`).
create function counts_as_sent(state text) returns boolean language sql immutable return state = 'sent';
