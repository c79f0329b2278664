# shellcheck shell=bash disable=SC2016 # lines for the shells of head and hosts
# Linux's NFS server on a cluster's head, and its clients; sourced after cluster.bash. The server is the kernel's: it takes root, Debian's
# nfs-kernel-server, and a kernel that has it. The head exports /run/nfs/exported: version 3 is mounted on the head itself, twice, at /run/nfs3/a
# and b, whose locks meet at the server only; version 4.2 on the hosts, at /run/nfs4.

# nfs_why_not: prints in one line why this machine can't have it; nothing if it can.
nfs_why_not() {
    local tool
    [[ $(id -u) -eq 0 ]] || { echo "needs root"; return; }
    for tool in rpc.nfsd rpc.mountd rpc.statd rpcbind exportfs mount.nfs; do
        command -v "$tool" >/dev/null || { echo "needs the command $tool (nfs-kernel-server, nfs-common)"; return; }
    done
    for tool in nfsd nfs nfs4; do
        grep -qw "$tool" /proc/filesystems || modprobe -q "${tool/nfs4/nfsv4}" || { echo "its kernel has no $tool"; return; }
    done
}

# nfs_head COMMAND: a line of shell on the head.
nfs_head() {
    cluster_on head bash -ec "$1"
}

nfs_start() {
    # what the server keeps lies in the head's memory; the server gives clients 10 s to take their locks again, not 90
    nfs_head 'mkdir -p /run/nfs /run/rpcbind /run/nfs3/a /run/nfs3/b /run/sendsigs.omit.d
        mount -t tmpfs var /var/lib/nfs
        mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak /var/lib/nfs/v4recovery /var/lib/nfs/rpc_pipefs /var/lib/nfs/nfsdcltrack
        touch /var/lib/nfs/etab /var/lib/nfs/rmtab /var/lib/nfs/state
        ! id statd >/dev/null 2>&1 || chown -R statd /var/lib/nfs
        mount -t tmpfs exported /run/nfs
        mkdir /run/nfs/exported
        rpcbind
        rpc.statd
        mount -t nfsd nfsd /proc/fs/nfsd
        rpc.mountd' &&
        nfs_serve &&
        nfs_head 'for at in a b; do mount -t nfs -o vers=3,nosharecache localhost:/run/nfs/exported /run/nfs3/$at; done'
}

# nfs_serve: exports and serves, again after nfs_withdraw or nfs_halt.
nfs_serve() {
    nfs_head 'exportfs -o rw,no_root_squash,fsid=0,no_subtree_check,insecure "*:/run/nfs"
        [[ $(cat /proc/fs/nfsd/threads) -gt 0 ]] || rpc.nfsd -G 10 -L 10 4'
}

# nfs_withdraw: clients are refused ("stale handle"). nfs_halt: they get no answer.
nfs_withdraw() {
    nfs_head 'exportfs -ua; exportfs -f'
}

nfs_halt() {
    nfs_head 'rpc.nfsd 0'
}

# nfs_mount HOST OPTIONS: at /run/nfs4 of that host, version 4.2.
nfs_mount() {
    cluster_on "$1" bash -ec 'mkdir -p /run/nfs4; mount -t nfs -o "vers=4.2,$0" head:/exported /run/nfs4' "$2"
}

# nfs_stop: before cluster_stop: the kernel's server outlives the processes of a cluster.
nfs_stop() {
    local host
    for host in c1 c2; do cluster_on "$host" umount -l /run/nfs4 2>/dev/null || true; done
    nfs_head 'umount -l /run/nfs3/a /run/nfs3/b; rpc.nfsd 0; exportfs -ua' || true
}
