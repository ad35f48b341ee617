using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Files;

/// <summary>Modules in which one tensor has two names, numbers that a module's type can't hold, and tensors in pieces.</summary>
public sealed class SafetensorsTiedTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tied _model = new();

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData("first.weight")]
    [InlineData("second.weight")]
    public void LoadInto_WhenATiedTensorHasOneOfItsNames_TakesIt(string name)
    {
        var tensors = Tensors();
        tensors.Remove(name == "first.weight" ? "second.weight" : "first.weight");

        var result = Safetensors.LoadInto(_model, tensors, "there", new LoadOptions());

        Assert.Empty(result.Missing);
        Assert.Equal(tensors[name].bytes.ToArray(), _model.First.weight.bytes.ToArray());
    }

    [Fact]
    public void LoadInto_WhenATiedTensorHasNoneOfItsNames_SaysBoth()
    {
        var tensors = Tensors();
        tensors.Remove("first.weight");
        tensors.Remove("second.weight");

        AssertRefused(tensors, new LoadOptions(), "'first.weight' is missing; 'second.weight' is missing");
    }

    [Fact]
    public void LoadInto_WhenTheNamesOfATiedTensorHaveOtherValues_IsRefused()
    {
        var tensors = Tensors();
        tensors["second.weight"] = zeros(2, 2);

        AssertRefused(
            tensors, new LoadOptions(), "'first.weight' and 'second.weight' have different values, and are one tensor in the model");
    }

    [Theory]
    [InlineData("first.weight")]
    [InlineData("second.weight")]
    public void LoadInto_WhenTheValuesAreNaNUnderOneName_IsRefused(string name)
    {
        var tensors = Tensors();
        tensors[name] = full([2, 2], float.NaN);

        AssertRefused(
            tensors, new LoadOptions(), "'first.weight' and 'second.weight' have different values, and are one tensor in the model");
    }

    [Fact]
    public void LoadInto_WhenTheValuesAreNaNUnderBothNames_TakesThem()
    {
        var tensors = Tensors();
        tensors["first.weight"] = full([2, 2], float.NaN);
        tensors["second.weight"] = full([2, 2], float.NaN);

        Safetensors.LoadInto(_model, tensors, "there", new LoadOptions());

        Assert.True(_model.First.weight.isnan().all().item<bool>());
    }

    [Fact]
    public void LoadInto_WhenANumberIsTooLargeForTheType_IsRefused()
    {
        var tensors = Tensors();
        tensors["first.bias"] = tensor(new[] { 1e300, double.PositiveInfinity });
        var infinite = tensors.ToDictionary(entry => entry.Key, entry => entry.Value);
        infinite["first.bias"] = tensor(new[] { 1, double.PositiveInfinity });

        AssertRefused(
            tensors, new LoadOptions { AllowConversion = true }, "'first.bias' holds numbers that are too large for Float32");
        Assert.Equal(["first.bias"], Safetensors.LoadInto(_model, infinite, "there", new LoadOptions { AllowConversion = true }).Converted);
    }

    [Theory]
    [InlineData(new long[] { }, 1)]
    [InlineData(new long[] { 0, 3 }, 0)]
    [InlineData(new long[] { 4, 2 }, 2)]
    [InlineData(new long[] { 9 }, 3)]
    public void Pieces_OfATensor_AreAllItsElementsInOrder(long[] shape, int count)
    {
        var whole = rand(shape);

        Tensor[] pieces = [.. Pdp.Training.Internal.TensorPieces.Of(whole, 4)];

        Assert.Equal(count, pieces.Length);
        Assert.Equal(whole.numel() == 0 ? [] : whole.bytes.ToArray(), pieces.SelectMany(piece => piece.bytes.ToArray()));
    }

    private Dictionary<string, Tensor> Tensors()
    {
        var tensors = _model.state_dict().ToDictionary(entry => entry.Key, entry => ones_like(entry.Value));
        Assert.Equal(["first.bias", "first.weight", "second.bias", "second.weight"], tensors.Keys.Order(StringComparer.Ordinal));
        return tensors;
    }

    private void AssertRefused(Dictionary<string, Tensor> tensors, LoadOptions options, string expected)
    {
        var before = _model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.bytes.ToArray());

        var error = Assert.Throws<InvalidDataException>(() => Safetensors.LoadInto(_model, tensors, "there", options));

        Assert.Equal($"'there' does not fit the model: {expected}.", error.Message);
        Assert.Equal(before, _model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.bytes.ToArray()));
    }

    private sealed class Tied : nn.Module
    {
        public Tied()
            : base(nameof(Tied))
        {
            (First, Second) = (nn.Linear(2, 2), nn.Linear(2, 2));
            Second.weight = First.weight;
            register_module("first", First);
            register_module("second", Second);
        }

        public TorchSharp.Modules.Linear First { get; }

        private TorchSharp.Modules.Linear Second { get; }
    }
}
