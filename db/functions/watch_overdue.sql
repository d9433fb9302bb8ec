-- Trigger: from when on somebody looks after a task, so that no part that makes tasks, gives them away or puts them off can forget it.
create function watch_overdue() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
  if tg_op = 'INSERT' then
    new.overdue_at := new.due_at;
  elsif new.owner is distinct from old.owner or new.due_at <> old.due_at then
    if new.owner is distinct from old.owner then new.given_at := clock_timestamp(); end if;
    new.reminders := 0;
    new.overdue_at := new.due_at;
  end if;
  return new;
end $$;
