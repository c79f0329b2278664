#!/usr/bin/env bash
# On a cluster's head: starts a host, or starts it again after it was killed. Usage: add_host.sh HOST PROJECT_FOLDER
set -euo pipefail
host=$1 project=$2 scripts=$(dirname "$0")
link=v${host#c}
rm -f "/run/cluster/up/$host"
setsid unshare --net --uts --ipc --pid --mount --fork --mount-proc --kill-child bash "$scripts/host.sh" "$host" "$project" \
    </dev/null >"/run/cluster/$host.log" 2>&1 &
outer=$!
until pid=$(pgrep -P "$outer" -f host.sh); do
    kill -0 "$outer" || { cat "/run/cluster/$host.log" >&2; exit 1; }
    sleep 0.01
done
# The other end of the link is in the host, and disappears with it, some time after its processes: a host that comes back deletes what is left.
# It has the same address as before, which the others remember.
for ((i = 0; i < 100; i++)); do
    ip link show "$link" >/dev/null 2>&1 || break
    ip link delete "$link" 2>/dev/null || sleep 0.05
done
ip link add "$link" type veth peer name eth0 address "$(printf '02:00:c6:12:01:%02x' "${host#c}")" netns "$pid"
ip link set "$link" master br0 up
echo "$pid" >"/run/cluster/pids/$host"
until [[ -e /run/cluster/up/$host ]]; do
    kill -0 "$outer" || { cat "/run/cluster/$host.log" >&2; exit 1; }
    sleep 0.01
done
