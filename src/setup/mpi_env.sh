# shellcheck shell=bash
# Sourced by what runs mpirun on one machine (make demo, make check, make bench): Open MPI settings for more ranks than
# cores, for containers and for root. A cluster's jobs don't use it.
if [ "$(id -u)" -eq 0 ]; then # of any shell
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1       # more ranks than cores are fine
export OMPI_MCA_mpi_yield_when_idle=1            # ... and give way while they wait
export OMPI_MCA_hwloc_base_binding_policy=none   # else one or two ranks get one core each for all their threads
export OMPI_MCA_btl_vader_single_copy_mechanism=none # copying between processes is often forbidden in containers
