#!/usr/bin/env bash
# On a cluster's head: runs a command on a host, or on the head itself. Usage: on.sh FOLDER HOST COMMAND...
folder=$1 host=$2
shift 2
if [[ $host == head ]]; then
    cd "$folder" 2>/dev/null || cd /
    exec "$@"
fi
pid=$(cat "/run/cluster/pids/$host") || exit 255
# 0 is whoever writes it: this process, and with it its children.
if [[ -e /run/cluster/quota/$host ]]; then echo 0 >"$(cat "/run/cluster/quota/$host")" || exit 255; fi
# shellcheck disable=SC2016 # for the host's shell
exec nsenter -t "$pid" -m -u -i -n -p sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$folder" "$@"
