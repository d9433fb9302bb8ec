ALTER TABLE "compositions" ADD COLUMN "decision_note" text;--> statement-breakpoint
ALTER TABLE "compositions" ADD COLUMN "unedited" jsonb;