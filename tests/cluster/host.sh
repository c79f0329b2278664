#!/usr/bin/env bash
# The first process of a host, by add_host.sh. Usage: host.sh HOST PROJECT_FOLDER
set -euo pipefail
host=$1 project=$2
# shellcheck source=tests/cluster/folders.sh
. "$(dirname "$0")/folders.sh"
private_folders "$project"
hostname "$host"
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.01; done
ip addr add "198.18.0.$((10 + ${host#c}))/24" dev eth0
ip link set eth0 up
touch "/run/cluster/up/$host"
while :; do sleep 1000; done
