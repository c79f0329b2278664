# shellcheck shell=bash
# Sourced by a cluster's head and hosts: the folders that they share and those that each has to itself.

# shared_folders PROJECT: on the head, before any host starts. The project's folder is kept by a second name, because it may lie in /tmp.
shared_folders() {
    mount -t tmpfs cluster /run
    mkdir -p /run/cluster/pids /run/cluster/up /run/cluster/quota /run/shared /run/project /run/cgroup
    mount --rbind "$1" /run/project
    mkdir /run/small # a file system that can be filled
    mount -t tmpfs -o size=24m small /run/small
    mount --rbind /sys/fs/cgroup /run/cgroup 2>/dev/null || true # not every machine has them
}

# private_folders PROJECT: a /tmp and /dev/shm of the host's own, and a /sys that shows the host's own network devices.
private_folders() {
    mount -t tmpfs tmp /tmp
    chmod 1777 /tmp
    if [[ ! -d $1 ]]; then
        mkdir -p "$1"
        mount --rbind /run/project "$1"
    fi
    mount -t tmpfs shm /dev/shm
    if mount -t sysfs sysfs /sys 2>/dev/null; then
        mount --rbind /run/cgroup /sys/fs/cgroup 2>/dev/null || true
    fi
}
