ALTER TABLE "risk_assessments" ADD COLUMN "enrollment_id" uuid;--> statement-breakpoint
ALTER TABLE "risk_assessments" ADD COLUMN "kept_from" text;--> statement-breakpoint
ALTER TABLE "risk_standings" ADD COLUMN "handled" text DEFAULT 'none' NOT NULL;--> statement-breakpoint
grant update (handled) on risk_standings to rekindle_app;
