using Pdp.Training.Distributed.Mpi;

namespace Pdp.Training.Tests.Distributed;

public sealed class MpiChoiceTests
{
    [Fact]
    public void Choose_WhenThereIsNone_GivesTheInstallLine()
    {
        var error = Assert.Throws<InvalidOperationException>(() => MpiSearch.Choose([], launcher: null));

        Assert.Contains("apt-get install openmpi-bin libopenmpi-dev", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_OfTwoKindsWithoutALauncher_NamesBothAndTheVariable()
    {
        var error = Assert.Throws<InvalidOperationException>(() => MpiSearch.Choose([MpiKind.OpenMpi, MpiKind.Mpich], launcher: null));

        Assert.Contains("Open MPI and MPICH", error.Message, StringComparison.Ordinal);
        Assert.Contains("PDP_MPI", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((int)MpiKind.OpenMpi)]
    [InlineData((int)MpiKind.Mpich)]
    public void Choose_OfTwoKinds_TakesTheLaunchers(int launcher)
    {
        Assert.Equal((MpiKind)launcher, MpiSearch.Choose([MpiKind.OpenMpi, MpiKind.Mpich], (MpiKind)launcher));
    }

    // A resource manager may start ranks of Open MPI by the variables of MPICH; that the ranks don't meet is seen by their number.
    [Fact]
    public void Choose_OfOneKind_TakesItUnderAnyLauncher()
    {
        Assert.Equal(MpiKind.OpenMpi, MpiSearch.Choose([MpiKind.OpenMpi], MpiKind.Mpich));
    }

    [Theory]
    [InlineData("OMPI_COMM_WORLD_SIZE", "Open MPI")]
    [InlineData("PMI_SIZE", "MPICH")]
    public void Find_InALaunchersEnvironment_HasItsKindAndSize(string variable, string kind)
    {
        var launcher = MpiLauncher.Find(name => name == variable ? "4" : null);

        Assert.Equal((kind, 4), (MpiSearch.Name(launcher.Kind!.Value), launcher.Size));
    }

    [Fact]
    public void RequireSize_WhenEachProcessTakesItselfForTheOnlyOne_SaysWhy()
    {
        var launcher = new MpiLauncher(MpiKind.Mpich, 4);

        var error = Assert.Throws<InvalidOperationException>(() => launcher.RequireSize(1, MpiKind.OpenMpi));

        Assert.Contains("MPICH's mpirun started 4 ranks, and the library, Open MPI, knows of 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireSize_WithoutALauncher_PassesForOne()
    {
        new MpiLauncher(null, 1).RequireSize(1, MpiKind.Mpich);
    }
}
