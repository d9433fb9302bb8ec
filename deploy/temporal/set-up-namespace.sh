#!/bin/sh
# The namespace with 30 days of retention, and the search attributes that the workflows set. Safe to run again.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, as the CLI does.
set -eu

# A server that just started is not healthy yet, and its parts learn of a new namespace one after another, some seconds later.
retry() {
  tries=0
  until said=$("$@" 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
      echo "$* failed for two minutes: $said" >&2
      exit 1
    fi
    sleep 2
  done
}

retry temporal operator cluster health
if ! temporal operator namespace describe >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 720h
fi
retry temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention 720h

retry temporal operator search-attribute list
existing=$said
for name in Tenant Sequence SubjectKind Subject StopReason; do
  if ! echo "$existing" | grep -qw "$name"; then
    retry temporal operator search-attribute create --name "$name" --type Keyword
  fi
done
echo "Temporal is ready: namespace $TEMPORAL_NAMESPACE"
