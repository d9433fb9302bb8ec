ALTER TABLE "enrollments" ADD COLUMN "subject_kind" text;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "segment" text;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "value_minor" bigint;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "value_minor" bigint;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "details" jsonb;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "details_version" integer;--> statement-breakpoint

-- A subject is of any kind: what only carts have moves to `details`, and the value and the segment get general names.
--
-- The build before reads and writes the old columns, so triggers copy each write to the other side, column by column: `before update of`
-- fires for the columns that a statement sets, and only for them. Rows that nobody has written since are not filled here, because that would
-- write every cart and every enrollment in one transaction; the functions below read both kinds of rows. Filling them in batches, and dropping
-- the old columns, is for the release after.

-- The details of a cart as the old columns have them: version 1 of `domain/subjects/cart/details.ts`.
create function cart_details(items jsonb, restore_url text, origin text, bought jsonb) returns jsonb language sql immutable
return jsonb_build_object('items', coalesce(items, '[]'), 'restoreUrl', restore_url, 'origin', origin, 'bought', bought);
--> statement-breakpoint
-- What a subject's own kind knows of it, whoever wrote the row.
create function details_of_subject(s subjects) returns jsonb language sql immutable
return coalesce(s.details, case when s.kind = 'cart' then cart_details(s.items, s.restore_url, s.origin, s.bought) end);
--> statement-breakpoint
-- Both sides are equal once a row was written; before, the new one is null.
create function value_of_subject(s subjects) returns bigint language sql immutable return coalesce(s.value_minor, s.total_minor);
--> statement-breakpoint
create function value_of_enrollment(e enrollments) returns bigint language sql immutable return coalesce(e.value_minor, e.cart_value_minor);
--> statement-breakpoint
create function segment_of_enrollment(e enrollments) returns text language sql immutable return coalesce(e.segment, e.sequence_type);
--> statement-breakpoint
create function kind_of_enrollment(e enrollments) returns text language sql immutable return coalesce(e.subject_kind, 'cart');
--> statement-breakpoint
-- What the build before reads in place of a segment that it does not know.
create function sequence_type_of(segment text) returns text language sql immutable
return case when segment in ('first_time', 'returning', 'high_value', 'low_stock') then segment when segment = 'customer' then 'returning'
  else 'first_time' end;
--> statement-breakpoint

create function fill_new_subject() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if new.details is not null then
    new.total_minor := new.value_minor;
    if new.kind = 'cart' then
      new.items := coalesce(new.details -> 'items', '[]');
      new.restore_url := new.details ->> 'restoreUrl';
      new.origin := new.details ->> 'origin';
      new.bought := nullif(new.details -> 'bought', 'null');
    end if;
  elsif new.kind = 'cart' then
    new.value_minor := new.total_minor;
    new.details := public.cart_details(new.items, new.restore_url, new.origin, new.bought);
    new.details_version := 1;
  end if;
  return new;
end $$;
--> statement-breakpoint
create function details_to_old_columns() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.items := coalesce(new.details -> 'items', '[]');
  new.restore_url := new.details ->> 'restoreUrl';
  new.origin := new.details ->> 'origin';
  new.bought := nullif(new.details -> 'bought', 'null');
  return new;
end $$;
--> statement-breakpoint
create function old_columns_to_details() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.details := public.cart_details(new.items, new.restore_url, new.origin, new.bought);
  new.details_version := 1;
  return new;
end $$;
--> statement-breakpoint
create function value_to_total() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.total_minor := new.value_minor;
  return new;
end $$;
--> statement-breakpoint
create function total_to_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.value_minor := new.total_minor;
  return new;
end $$;
--> statement-breakpoint
create trigger subjects_new before insert on subjects for each row execute function fill_new_subject();
--> statement-breakpoint
create trigger subjects_details before update of details on subjects for each row
  when (new.kind = 'cart' and new.details is not null and new.details is distinct from old.details)
  execute function details_to_old_columns();
--> statement-breakpoint
create trigger subjects_old_columns before update of items, restore_url, origin, bought on subjects for each row
  when (new.kind = 'cart' and (new.details is null or (new.items, new.restore_url, new.origin, new.bought)
    is distinct from (old.items, old.restore_url, old.origin, old.bought)))
  execute function old_columns_to_details();
--> statement-breakpoint
create trigger subjects_value before update of value_minor on subjects for each row
  when (new.value_minor is distinct from new.total_minor) execute function value_to_total();
--> statement-breakpoint
create trigger subjects_total before update of total_minor on subjects for each row
  when (new.value_minor is distinct from new.total_minor) execute function total_to_value();
--> statement-breakpoint

create function fill_new_enrollment() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  -- The build before begins sequences about carts only.
  new.subject_kind := coalesce(new.subject_kind, 'cart');
  if new.segment is null then
    new.segment := new.sequence_type;
    new.value_minor := new.cart_value_minor;
  else
    new.sequence_type := public.sequence_type_of(new.segment);
    new.cart_value_minor := new.value_minor;
  end if;
  return new;
end $$;
--> statement-breakpoint
create function value_to_cart_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.cart_value_minor := new.value_minor;
  return new;
end $$;
--> statement-breakpoint
create function cart_value_to_value() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.value_minor := new.cart_value_minor;
  return new;
end $$;
--> statement-breakpoint
create function segment_to_sequence_type() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.sequence_type := public.sequence_type_of(new.segment);
  return new;
end $$;
--> statement-breakpoint
create function sequence_type_to_segment() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  new.segment := new.sequence_type;
  return new;
end $$;
--> statement-breakpoint
create trigger enrollments_new before insert on enrollments for each row execute function fill_new_enrollment();
--> statement-breakpoint
create trigger enrollments_value before update of value_minor on enrollments for each row
  when (new.value_minor is distinct from new.cart_value_minor) execute function value_to_cart_value();
--> statement-breakpoint
create trigger enrollments_cart_value before update of cart_value_minor on enrollments for each row
  when (new.value_minor is distinct from new.cart_value_minor) execute function cart_value_to_value();
--> statement-breakpoint
create trigger enrollments_segment before update of segment on enrollments for each row
  when (new.segment is distinct from old.segment) execute function segment_to_sequence_type();
--> statement-breakpoint
create trigger enrollments_sequence_type before update of sequence_type on enrollments for each row
  when (new.sequence_type is distinct from old.sequence_type) execute function sequence_type_to_segment();
--> statement-breakpoint
revoke execute on function cart_details(jsonb, text, text, jsonb), details_of_subject(subjects), value_of_subject(subjects),
  value_of_enrollment(enrollments), segment_of_enrollment(enrollments), kind_of_enrollment(enrollments), sequence_type_of(text),
  fill_new_subject(), details_to_old_columns(), old_columns_to_details(), value_to_total(), total_to_value(), fill_new_enrollment(),
  value_to_cart_value(), cart_value_to_value(), segment_to_sequence_type(), sequence_type_to_segment() from public;
--> statement-breakpoint
-- The triggers run as whoever writes.
grant execute on function cart_details(jsonb, text, text, jsonb), details_of_subject(subjects), value_of_subject(subjects),
  value_of_enrollment(enrollments), segment_of_enrollment(enrollments), kind_of_enrollment(enrollments), sequence_type_of(text) to rekindle_app;
