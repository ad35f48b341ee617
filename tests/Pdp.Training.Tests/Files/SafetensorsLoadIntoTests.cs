using Pdp.Samples.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Files;

public sealed class SafetensorsLoadIntoTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly nn.Module<Tensor, Tensor> _model = nn.Sequential(("fc", nn.Linear(3, 2)), ("bn", nn.BatchNorm1d(2)));
    private readonly DisposeScope _scope = NewDisposeScope();

    private string Path => _folder.File("weights.safetensors");

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void LoadInto_WhenFileFits_CopiesIntoTheSameParameters()
    {
        var parameters = _model.parameters().ToArray();
        Safetensors.Save(Path, Shifted());

        Safetensors.LoadInto(_model, Path);

        Assert.Equal(parameters, _model.parameters());
        Assert.Equal(Bytes(Safetensors.Load(Path)), Bytes(Fitting()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LoadInto_WhenBatchCounterIsOrIsNotThere_TakesItOrKeepsTheOldOne(bool isThere)
    {
        var tensors = Fitting();
        if (isThere)
        {
            tensors.Add("bn.num_batches_tracked", tensor(5L));
        }

        Safetensors.Save(Path, tensors);

        var result = Safetensors.LoadInto(_model, Path);

        Assert.Equal(isThere ? 5 : 0, _model.state_dict()["bn.num_batches_tracked"].ReadCpuInt64(0));
        Assert.Equal(isThere ? [] : ["bn.num_batches_tracked"], result.Missing);
    }

    [Fact]
    public void LoadInto_WhenNamesDiffer_ListsThemAll()
    {
        var tensors = Fitting();
        tensors.Remove("fc.weight");
        tensors.Remove("bn.running_var");
        tensors.Add("fc.mask", zeros(1));

        AssertRefused(tensors, "'fc.weight' is missing; 'bn.running_var' is missing; 'fc.mask' is not in the model");
    }

    [Fact]
    public void LoadInto_WhenMuchDiffers_CountsTheRest() => AssertRefused(
        Fitting().ToDictionary(entry => "model." + entry.Key, entry => entry.Value),
        "'fc.weight' is missing; 'fc.bias' is missing; 'bn.weight' is missing; 'bn.bias' is missing; 'bn.running_mean' is "
            + "missing; and 7 more");

    [Fact]
    public void LoadInto_WhenShapeDiffers_SaysBoth()
    {
        var tensors = Shifted();
        tensors["fc.weight"] = zeros(1, 3);

        AssertRefused(tensors, "'fc.weight' is Float32 [1, 3] where the model has Float32 [2, 3]");
    }

    [Fact]
    public void LoadInto_WhenTypeDiffers_SaysBoth()
    {
        var tensors = Shifted();
        tensors["bn.bias"] = zeros(2, dtype: ScalarType.Float64);

        AssertRefused(tensors, "'bn.bias' is Float64 [2] where the model has Float32 [2]");
    }

    [Fact]
    public void LoadInto_WhenDifferencesAreAllowed_TakesWhatFitsAndListsTheRest()
    {
        var tensors = Shifted();
        tensors.Remove("bn.bias");
        tensors.Add("head.weight", zeros(1));
        tensors["fc.weight"] = tensors["fc.weight"].to_type(ScalarType.BFloat16);
        Safetensors.Save(Path, tensors);

        var result = Safetensors.LoadInto(
            _model, Path, new LoadOptions { AllowMissing = true, AllowUnexpected = true, AllowConversion = true });

        Assert.Equal(["bn.bias", "bn.num_batches_tracked"], result.Missing);
        Assert.Equal(["head.weight"], result.Unexpected);
        Assert.Equal(["fc.weight"], result.Converted);
        Assert.Equal(tensors["fc.weight"]
            .to_type(ScalarType.Float32).data<float>().ToArray(), Fitting()["fc.weight"].data<float>().ToArray());
        Assert.Equal(new float[] { 0, 0 }, Fitting()["bn.bias"].data<float>().ToArray());
    }

    [Fact]
    public void LoadInto_WhenAShapeDiffers_IsRefusedWhateverIsAllowed()
    {
        var tensors = Shifted();
        tensors["fc.weight"] = zeros(1, 3);
        Safetensors.Save(Path, tensors);

        Assert.Throws<InvalidDataException>(() => Safetensors.LoadInto(
            _model, Path, new LoadOptions { AllowMissing = true, AllowUnexpected = true, AllowConversion = true }));
    }

    [Fact]
    public void LoadInto_WhenWhatFollowsThrows_PutsTheOldValuesBack()
    {
        var before = Bytes(Fitting());

        Assert.Throws<FormatException>(() => Safetensors.LoadInto(_model, Shifted(), "there", () => throw new FormatException()));

        Assert.Equal(before, Bytes(Fitting()));
    }

    private void AssertRefused(Dictionary<string, Tensor> tensors, string expected)
    {
        var before = Bytes(Fitting());
        Safetensors.Save(Path, tensors);

        var error = Assert.Throws<InvalidDataException>(() => Safetensors.LoadInto(_model, Path));

        Assert.Equal($"'{Path}' does not fit the model: {expected}.", error.Message);
        Assert.Equal(before, Bytes(Fitting()));
    }

    // What the model holds, and what differs from it in every value.
    private Dictionary<string, Tensor> Fitting() =>
        _model.state_dict().Where(entry => entry.Key != "bn.num_batches_tracked").ToDictionary();

    private Dictionary<string, Tensor> Shifted()
    {
        using Scalar one = 1;
        return Fitting().ToDictionary(entry => entry.Key, entry => entry.Value.detach().add(one));
    }

    private static SortedDictionary<string, string> Bytes(Dictionary<string, Tensor> tensors) =>
        new(tensors.ToDictionary(entry => entry.Key, entry => Convert.ToHexString(entry.Value.bytes)), StringComparer.Ordinal);
}
