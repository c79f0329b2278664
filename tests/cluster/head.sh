#!/usr/bin/env bash
# The first process of a cluster's head, by cluster_start. Usage: head.sh HOSTS PROJECT_FOLDER
set -euo pipefail
hosts=$1 project=$2 scripts=$(dirname "$0")
# shellcheck source=tests/cluster/folders.sh
. "$scripts/folders.sh"

mount --make-rprivate /
shared_folders "$project"
private_folders "$project"
hostname head
{
    echo "127.0.0.1 localhost"
    echo "198.18.0.1 head"
    for ((i = 1; i <= hosts; i++)); do echo "198.18.0.$((10 + i)) c$i"; done
} >/run/cluster/hosts
mount --bind /run/cluster/hosts /etc/hosts
ip link set lo up
# An address of its own: otherwise a bridge takes the lowest of its links', and changes it when a link goes.
ip link add br0 address 02:00:c6:12:00:01 type bridge
ip addr add 198.18.0.1/24 dev br0
ip link set br0 up
for ((i = 1; i <= hosts; i++)); do
    bash "$scripts/add_host.sh" "c$i" "$project"
done
touch /run/cluster/ready
while :; do sleep 1000; done
