ALTER TABLE "experiments" ADD COLUMN "mode" text DEFAULT 'test' NOT NULL;--> statement-breakpoint
-- Those of a bandit follow what its arms bring; those of a test never change.
grant update (shares) on experiments to rekindle_app;
