-- How many of an identity's rows are read before it counts as held by too many, and how many persons may share one.
create function most_holders() returns int language sql immutable return 5;
