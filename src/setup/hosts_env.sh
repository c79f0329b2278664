# shellcheck shell=bash
# Sourced by who starts mpirun over several hosts without a batch system: Open MPI settings that end the job when a host or its link
# is lost. Without them mpirun and all ranks wait, for ten minutes and longer.
# The daemons' connections are probed after 2 s of silence, each second; after 3 probes without an answer the host is lost.
export OMPI_MCA_oob_tcp_keepalive_time=2
export OMPI_MCA_oob_tcp_keepalive_intvl=1
export OMPI_MCA_oob_tcp_keepalive_probes=3
