#!/bin/sh
# Bring Temporal's two databases to the schema of this image's version. Safe to run again, and run again at every upgrade.
# The databases exist (deploy/postgres/create-databases.sh); the tool reads SQL_PASSWORD.
set -eu

set_up() {
  database=$1
  schema=$2
  tool="temporal-sql-tool --plugin postgres12 --endpoint $SQL_HOST --port 5432 --user $SQL_USER --database $database"
  $tool setup-schema --version 0.0
  $tool update-schema --schema-name "postgresql/v12/$schema"
}

set_up temporal temporal
# Indexes of search attributes need btree_gin; the owner of a database may create it, the schema does.
set_up temporal_visibility visibility
