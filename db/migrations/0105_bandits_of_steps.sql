ALTER TABLE "experiments" ADD COLUMN "drawn_by" jsonb;--> statement-breakpoint
grant update (drawn_by) on experiments to rekindle_app;
