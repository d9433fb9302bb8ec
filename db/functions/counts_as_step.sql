-- Whether a message counts as a step that went out. One of unknown outcome does; see `counts_as_sent` for messages.
create function counts_as_step(state text) returns boolean language sql immutable
return state in ('sent', 'unknown');
