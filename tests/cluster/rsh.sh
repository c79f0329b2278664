#!/usr/bin/env bash
# On a cluster's head: Open MPI's way to start its daemon on a host, as `ssh` is on a real cluster. Usage: rsh.sh HOST COMMAND...
host=$1
shift
exec bash "$(dirname "$0")/on.sh" "$PWD" "$host" sh -c "$*"
