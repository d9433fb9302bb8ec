#!/bin/sh
# The namespace with 30 days of retention, and the search attributes that the workflows set. Safe to run again.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, as the CLI does.
set -eu

tries=0
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Temporal at $TEMPORAL_ADDRESS did not become healthy within two minutes" >&2
    temporal operator cluster health
  fi
  sleep 2
done

if ! temporal operator namespace describe >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 720h
fi
temporal operator namespace update --retention 720h --namespace "$TEMPORAL_NAMESPACE"

# The frontend learns of a new namespace from its cache, some seconds later.
tries=0
until existing=$(temporal operator search-attribute list 2>&1); do
  tries=$((tries + 1))
  if [ "$tries" -ge 30 ]; then
    echo "$existing" >&2
    exit 1
  fi
  sleep 2
done

for name in Tenant Sequence SubjectKind Subject StopReason; do
  if ! echo "$existing" | grep -qw "$name"; then
    temporal operator search-attribute create --name "$name" --type Keyword
  fi
done
echo "Temporal is ready: namespace $TEMPORAL_NAMESPACE"
