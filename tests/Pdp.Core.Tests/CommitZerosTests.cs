using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>Zeros that stay in the model are +0, whose bits are all 0: half of them as −0 compress badly.</summary>
public sealed class CommitZerosTests
{
    public static TheoryData<string, ScalarType, MaskForm> Cases()
    {
        var cases = new TheoryData<string, ScalarType, MaskForm>();
        foreach (var strategy in (string[])["unstructured", "2:4", "channel", "tied channels"])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Float16])
            {
                cases.Add(strategy, type, MaskForm.Folded);
                cases.Add(strategy, type, MaskForm.Raw);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Commit_AndWhatComesAfterIt_LeavesNoNegativeZero(string strategy, ScalarType type, MaskForm form)
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("in", Linear(8, 8)), ("act", ReLU()), ("out", Linear(8, 8)));
        var channels = strategy == "tied channels" ? ChannelMap.Find(model, ones(2, 8)) : null;
        model.to(type);
        using (no_grad())
        {
            foreach (var (parameter, seed) in model.parameters().Zip(Enumerable.Range(1, 99)))
                parameter.copy_(Tensors.Of(Tensors.Normal(seed, parameter.numel()), parameter.shape, type));
        }

        using var pruner = new PdpPruner(model, new()
        {
            Epochs = 1,
            Sparsity = strategy == "2:4" ? null : 0.5,
            Strategy = strategy == "2:4" ? NofM.Keep(2, of: 4) : strategy == "unstructured" ? new Unstructured() : new PerChannel(),
            Channels = channels,
            Schedule = new ConstantSparsity(),
            Temperature = Temperature.Relative(0.5),
        });
        pruner.BeginEpoch(0);

        pruner.Commit(form);
        RequirePositive(model);
        var zeros = Zeros(model);
        MoveDown(model);
        pruner.Mask().Dispose();
        RequirePositive(model);
        Assert.Equal(zeros, Zeros(model));
        MoveDown(model);
        pruner.Commit(form);

        RequirePositive(model);
        Assert.Equal(zeros, Zeros(model));
        Assert.True(zeros >= 30);
    }

    /// <summary>What momentum does to zeros.</summary>
    private static void MoveDown(Module model)
    {
        using var _ = no_grad();
        foreach (var parameter in model.parameters())
            parameter.sub_(tensor(1e-3, dtype: parameter.dtype).mul(parameter.eq(zeros_like(parameter))));
    }

    private static int Zeros(Module model) => model.parameters().Sum(parameter => parameter.Values().Count(value => value == 0));

    private static void RequirePositive(Module model)
    {
        foreach (var (name, parameter) in model.named_parameters())
            Assert.DoesNotContain(parameter.Values(), value => value == 0 && double.IsNegative(value));
    }
}
