using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>
/// What acts on gradients inside a scope is an error that says where it belongs; gradients that are merely unusual are right, and none.
/// </summary>
public sealed class GradientLoopTests
{
    public static TheoryData<string> Strategies { get; } = ["unstructured", "2:4", "channel"];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void ClippingInsideTheScope_IsAnErrorAtTheNextCall(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        using (loop.Pruner.Mask())
        {
            loop.Backward(1, factor: 100);
            nn.utils.clip_grad_norm_(loop.Model.parameters(), 1);
        }

        var fault = Assert.Throws<InvalidOperationException>(() => loop.Pruner.Mask());

        Assert.Contains("clip and scale gradients after the scope", fault.Message);
    }

    /// <summary>Gradients are examined in the first eight of every 1024 scopes.</summary>
    [Theory]
    [InlineData(7, true)]
    [InlineData(8, false)]
    [InlineData(500, false)]
    [InlineData(1023, false)]
    [InlineData(1024, true)]
    [InlineData(1031, true)]
    [InlineData(1032, false)]
    public void ClippingInsideTheScope_OfALongRun_IsAnErrorNowAndThen(long scopes, bool isExamined)
    {
        using var loop = new TrainingLoop("unstructured");
        loop.Pruner.Restore(loop.Pruner.GetState() with { TrainingScopes = scopes });
        using (loop.Pruner.Mask())
        {
            loop.Backward(1, factor: 100);
            nn.utils.clip_grad_norm_(loop.Model.parameters(), 1);
        }

        var fault = Record.Exception(() => loop.Pruner.Mask().Dispose());

        Assert.Equal(isExamined ? typeof(InvalidOperationException) : null, fault?.GetType());
        Assert.Equal(isExamined, fault?.Message.Contains("clip and scale gradients after the scope", StringComparison.Ordinal) ?? false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GradientsChangedInsideTheScope_AreAnErrorAtTheNextCall(bool isClamped)
    {
        using var loop = new TrainingLoop("unstructured");
        using (loop.Pruner.Mask())
        {
            loop.Backward(1);
            using var _ = no_grad();
            using Scalar limit = 0.01, negative = -0.01, factor = 0.3;
            foreach (var gradient in loop.Model.parameters().Select(parameter => parameter.grad).OfType<Tensor>())
            {
                if (isClamped)
                    gradient.clamp_(negative, limit);
                else
                    gradient.mul_(factor);
            }
        }

        Assert.Throws<InvalidOperationException>(() => loop.Pruner.BeginEpoch(0.5));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void Gradients_InTheFirstScopesAndLater_AreTheSameBits(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Linear(16, 4).to(type);
        using var pruner = new PdpPruner(model, TrainingLoop.Options);
        pruner.BeginEpoch(0);
        byte[][] gradients = [.. Enumerable.Range(0, 20).Select(_ =>
        {
            model.zero_grad();
            using (pruner.Mask())
                model.forward(TestModels.Batch(1).Inputs.to(type)).sum().backward();
            return model.weight!.grad!.bytes.ToArray();
        })];

        Assert.All(gradients, gradient => Assert.Equal(gradients[^1], gradient));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Gradients_WhoseGraphIsKept_AreRightAndNoError(ScalarType type)
    {
        using var loop = new TrainingLoop("unstructured", type: type);
        using var scope = NewDisposeScope();
        var gradients = new List<byte[]>();
        foreach (var keepsGraph in (bool[])[false, true])
        {
            loop.Model.zero_grad();
            for (var micro = 0; micro < 2; micro++)
            {
                using (loop.Pruner.Mask())
                    loop.Forward(micro).sum().backward(create_graph: keepsGraph && micro == 1);
            }

            gradients.Add(loop.Weight.grad!.detach().bytes.ToArray());
        }

        Assert.Equal(gradients[0], gradients[1]);
        loop.Pruner.Mask().Dispose();
    }

    [Fact]
    public void SparseGradients_OfTokensThatRepeat_AreNoError()
    {
        using var scope = NewDisposeScope();
        using var table = Embedding(100, 16, sparse: true);
        using var pruner = new PdpPruner(table, TrainingLoop.Options with { Include = ["*"] });
        pruner.BeginEpoch(0);
        for (var step = 0; step < 4; step++)
        {
            if (step % 2 == 0)
                table.zero_grad();
            using (pruner.Mask())
                table.call(tensor(new long[] { 1, 2, 1, 5, 1, 2 })).pow(2).sum().backward();
        }

        pruner.Mask().Dispose();
    }
}
