ALTER TABLE "sequence_drafts" ADD COLUMN "campaign_id" uuid;--> statement-breakpoint
grant update (campaign_id) on sequence_drafts to rekindle_app;
