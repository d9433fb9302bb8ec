-- Figures by kind of subject and by channel. `sums` and `sum_deltas` take the place of `rollups` and `rollup_deltas`, which the build before
-- goes on reading: as views, in which carts and their emails are what they were. One set of triggers feeds both. What 0007 and 0010 say about
-- them holds (docs/adr/0013-figures-are-sums-kept-by-the-database.md); what an order counts for is unchanged.

-- An unknown outcome counts as a step that went out, not as a message that was sent.
create function counts_as_sent(state text) returns boolean language sql immutable return state = 'sent';
