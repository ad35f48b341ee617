namespace Pdp.Training.Distributed.Mpi;

/// <summary>The two families of MPI libraries, whose handles differ.</summary>
internal enum MpiKind
{
    /// <summary>Handles are addresses of exported objects.</summary>
    OpenMpi,

    /// <summary>Handles are numbers, the same in all libraries that share MPICH's binary interface, such as Intel MPI.</summary>
    Mpich,
}
