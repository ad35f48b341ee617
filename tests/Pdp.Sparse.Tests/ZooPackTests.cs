using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests;

/// <summary>Packs every network of the zoo, and random ones.</summary>
public sealed class ZooPackTests
{
    private static readonly int RandomNetworks = Environment.GetEnvironmentVariable("PDP_LONG") is null ? 20 : 500;

    public static TheoryData<string> Networks => [.. Zoo.Names, .. Zoo.Large.Select(model => model.Name)];

    public static TheoryData<string> Cases => [.. ZooCases.All.Select(zoo => zoo.Name)];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Pack_WhenNetworkIsOfTheZoo_GivesItsOutput(string name) => Check(new(Zoo.Get(name)));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Pack_WhenNetworkIsACase_GivesItsOutput(string name) => Check(ZooCases.Get(name));

    [Fact]
    public void Pack_WhenNetworkIsRandom_GivesItsOutput() =>
        Assert.All(Enumerable.Range(0, RandomNetworks), seed => Check(RandomNet.Of(seed).Zoo));

    private static void Check(ZooCase zoo)
    {
        using var model = Pruned.Prune(zoo.Model.Make(), 0.7);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor[] inputs = [.. Enumerable.Range(2, 3).Select(seed => zoo.Input(seed, ScalarType.Float32))];
        Tensor[] expected = [.. inputs.Select(model.call)];
        var before = Pruned.Bits(model);

        using (var packed = SparseModel.Pack(model, inputs[0], Pruned.EverythingOf(model)))
            RequireSame(packed.Report.ToString());

        Assert.Equal(before, Pruned.Bits(model));
        RequireSame("unpacked");

        void RequireSame(string state) =>
            Assert.All(inputs.Zip(expected), pair => Assert.True(Pruned.IsClose(model.call(pair.First), pair.Second), state));
    }
}
