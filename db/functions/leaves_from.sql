-- From when on something more may leave that has to keep to a window: at most `most` in any `window_ms`, and none before `closed_until`. Of them,
-- `for_answers` are left for answers in chats; null: it is one. Of the messages of sequences no more than half leave in a quarter of the window, so
-- that an answer never waits for all of it. `left_at` is what has left and what has a place, the latest first.
create function leaves_from(left_at timestamptz[], closed_until timestamptz, asked_at timestamptz, most int, window_ms double precision, for_answers int)
returns timestamptz
language sql immutable as $$
  select greatest(
    asked_at, closed_until,
    left_at[most - coalesce(for_answers, 0)] + make_interval(secs => window_ms / 1000),
    case when for_answers is not null then left_at[most / 2] + make_interval(secs => window_ms / 4000) end
  )
$$;
