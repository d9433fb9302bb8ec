-- contract: only APIs of this build write null, and workers are replaced before them (docs/migrations.md, "Rolling out")
ALTER TABLE "conversions" ALTER COLUMN "currency" DROP NOT NULL;--> statement-breakpoint
-- contract: only APIs of this build write null, and workers are replaced before them (docs/migrations.md, "Rolling out")
ALTER TABLE "conversions" ALTER COLUMN "value_minor" DROP NOT NULL;--> statement-breakpoint
-- contract: only APIs of this build write null, and workers are replaced before them (docs/migrations.md, "Rolling out")
ALTER TABLE "enrollments" ALTER COLUMN "cart_value_minor" DROP NOT NULL;--> statement-breakpoint
-- contract: only APIs of this build write null, and workers are replaced before them (docs/migrations.md, "Rolling out")
ALTER TABLE "enrollments" ALTER COLUMN "currency" DROP NOT NULL;--> statement-breakpoint
-- contract: only APIs of this build write null, and workers are replaced before them (docs/migrations.md, "Rolling out")
ALTER TABLE "subjects" ALTER COLUMN "currency" DROP NOT NULL;--> statement-breakpoint
-- contract: only APIs of this build write null, and workers are replaced before them (docs/migrations.md, "Rolling out")
ALTER TABLE "subjects" ALTER COLUMN "total_minor" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "consents" ADD COLUMN "basis" text;--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "notes" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "quarantine" ADD COLUMN "headers" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "quarantine" ADD COLUMN "may_be_stop" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "email" text;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "email_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "phone" text;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "phone_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "origin" text;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "previous_subject_id" uuid;--> statement-breakpoint
ALTER TABLE "suppressions" ADD COLUMN "basis" text;
