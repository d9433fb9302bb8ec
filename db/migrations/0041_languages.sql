ALTER TABLE "messages" ADD COLUMN "language" text;
--> statement-breakpoint
grant update (language) on messages to rekindle_app;
