-- The figures of analytics are sums that the database keeps itself. See docs/adr/0013-figures-are-sums-kept-by-the-database.md.
--
-- Triggers append to `rollup_deltas` what a change adds to the figures: what the row counts for now, less what it counted for before.
-- `fold_rollups` adds these rows up into `rollups`, by the hour and by the day (UTC). Whoever reads adds both, in one statement, so nothing
-- is missing and nothing counted twice. Nobody waits: appended rows are nobody else's, and only the folding touches a sum.
--
-- Deleting a row takes no history away; only correcting it does.
--
-- The triggers' functions run as the owner: the application may read figures, not write them. As in 0004, one plan serves every call.

-- Which messages count: said here and nowhere else. An unknown outcome counts as a step that went out, not as a mail.
create function counts_as_step(state text) returns boolean language sql immutable
return state in ('sent', 'unknown');
