-- The application's role: it owns nothing and cannot log in by itself; the pool switches to it (`-c role=rekindle_app`).
do $$ begin
  create role rekindle_app nologin;
exception when duplicate_object or unique_violation then null;
end $$;
--> statement-breakpoint
do $$ begin
  -- Whoever runs the application's pool must be allowed to act as the role.
  execute format('grant rekindle_app to %I', current_user);
exception when others then null;
end $$;
--> statement-breakpoint
grant usage on schema public to rekindle_app;
