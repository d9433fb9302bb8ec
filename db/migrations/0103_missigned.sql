ALTER TABLE "connections" ADD COLUMN "missigned_at" timestamp (3) with time zone;--> statement-breakpoint
grant update (missigned_at) on connections to rekindle_app;
