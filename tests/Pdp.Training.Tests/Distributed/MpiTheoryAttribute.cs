namespace Pdp.Training.Tests.Distributed;

/// <summary>A test on processes; skipped where no MPI is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MpiTheoryAttribute : TheoryAttribute
{
    public MpiTheoryAttribute()
    {
        if (MpiRun.Kinds.Count == 0)
        {
            Skip = "No mpirun was found: apt-get install openmpi-bin libopenmpi-dev, or mpich.";
        }
    }
}
