-- The application gets the rights that its statements use, and no other: nothing that a promise rests on can be deleted by it, and what names
-- a row (its tenant, its step, its person, the key of a delivery) can never be changed. `tests/db/grants.test.ts` compares these rights
-- with the statements of the code and of the functions that run as their caller, and prints the statement that is missing or too much.
--
-- A new table grants its own in the migration that creates it: `select, insert`, and `update` of the columns that are written later.
-- Reading is granted everywhere: row-level security says whose rows are seen.

-- contract: the build before deletes from the outbox alone, and updates only columns that are granted again below
revoke update, delete on tenants, api_keys, connections, contacts, contact_identities, suppressions, privacy_requests, subjects, subject_keys,
  conversions, sequences, sequence_versions, enrollments, messages, message_events, inbox, quarantine, outbox from rekindle_app;
--> statement-breakpoint
grant delete, update (claimed_until, last_error, next_attempt_at) on outbox to rekindle_app;
--> statement-breakpoint
grant update (name, settings, time_scale) on tenants to rekindle_app;
--> statement-breakpoint
grant update (state) on connections to rekindle_app;
--> statement-breakpoint
grant update (country, details_at, first_name, last_name, last_order_at, last_reply_at, last_seen_at, lifecycle, lifetime_value_minor, locale,
  order_count, person_id, region, time_zone) on contacts to rekindle_app;
--> statement-breakpoint
grant update (basis, lifted_at, since) on suppressions to rekindle_app;
--> statement-breakpoint
grant update (bought, contact_id, converted_at, currency, email, email_at, items, last_activity_at, origin, phone, phone_at, restore_url,
  started_at, state, total_minor) on subjects to rekindle_app;
--> statement-breakpoint
grant update (subject_id) on subject_keys to rekindle_app;
--> statement-breakpoint
grant update (contact_id, currency, current_at, current_currency, current_minor, enrollment_id, no_revenue, placed_at,
  refunded_besides_minor, refunded_minor, reversed_at, subject_id, value_at, value_minor) on conversions to rekindle_app;
--> statement-breakpoint
grant update (current_version_id, name) on sequences to rekindle_app;
--> statement-breakpoint
grant update (activated_at, anchor_at, cart_value_minor, contact_id, currency, ended_at, held, not_before, status, stop_note,
  stop_reason, subject_id) on enrollments to rekindle_app;
--> statement-breakpoint
grant update (account, channel, claim, claimed_at, clicked_at, connection_id, dead_lease_ms, doubt_since, due_at, failures, find_from,
  in_doubt, lease_ms, live, opened_at, payload, provider_message_id, refusals, refused_for_good, response, settled_at, skip_reason,
  state, suspected_click_at, suspected_open_at) on messages to rekindle_app;
--> statement-breakpoint
grant update (applied_at, attempts, covered_contact_ids, events, last_error, notes, state, topic) on inbox to rekindle_app;
--> statement-breakpoint
grant update (released_at) on quarantine to rekindle_app;
