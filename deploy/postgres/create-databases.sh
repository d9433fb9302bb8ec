#!/bin/sh
# Run once by the Postgres image, when its volume is empty: one server, a database and a login for each of its users.
set -eu

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
  --set owner_password="$REKINDLE_OWNER_PASSWORD" \
  --set app_password="$REKINDLE_PASSWORD" \
  --set temporal_password="$TEMPORAL_PASSWORD" <<'SQL'
-- Owns the tables and runs the migrations; these look whether the application's role exists, which takes CREATEROLE.
create role rekindle_owner login createrole password :'owner_password';
create database rekindle owner rekindle_owner;

-- API and worker: owns nothing, sees a tenant's rows only as rekindle_app (row-level security).
create role rekindle_app nologin;
create role rekindle login password :'app_password';
grant rekindle_app to rekindle;
grant rekindle_app to rekindle_owner with admin option;

create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
SQL
