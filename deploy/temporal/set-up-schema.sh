#!/bin/sh
# Bring Temporal's two databases to the schema of this image's version. Safe to run again, and run again at every upgrade.
# The databases exist (deploy/postgres/create-databases.sh). The tool reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

set_up() {
  database=$1
  schema=$2
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-name "$schema"
}

set_up temporal postgresql/v12/temporal
# Needs the extension btree_gin, which the owner of a database may create and the schema does.
set_up temporal_visibility postgresql/v12/visibility
echo "Temporal's databases are up to date"
