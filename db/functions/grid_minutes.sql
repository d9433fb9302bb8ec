-- A length of time in minutes, rounded up: to whole minutes below an hour, and above to a thirty-second of the power of two below it, so at most 3.2 % too long. Times
-- on a fixed grid can be added up. `domain/statistics/time-grid.ts` says the same.
create function grid_minutes(seconds float8) returns int language sql immutable
return (
  select ceil(m.minutes::float8 / g.step)::int * g.step
  from (select greatest(0, ceil(least(seconds, 5e9) / 60))::int as minutes) m
    cross join lateral (select greatest(1, 1 << greatest(0, length(ltrim(m.minutes::bit(32)::text, '0')) - 6)) as step) g);
