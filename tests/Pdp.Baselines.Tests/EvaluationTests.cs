using Pdp.Baselines.Tests.Support;

namespace Pdp.Baselines.Tests;

/// <summary>A look at a model, in whatever order and form, is no training: it raises no alarm and leaves no trace.</summary>
public sealed class EvaluationTests
{
    /// <summary>What training without a look ends with, by the loop's name.</summary>
    private static readonly Dictionary<string, (double[] Values, double[] Sparsities)> Alone = [];

    public static TheoryData<string, EvaluationOrder> Looks
    {
        get
        {
            var looks = new TheoryData<string, EvaluationOrder>();
            foreach (var name in Loop.Names)
            {
                foreach (var order in Enum.GetValues<EvaluationOrder>())
                    looks.Add(name, order);
            }

            return looks;
        }
    }

    [Theory]
    [MemberData(nameof(Looks))]
    public void Evaluation_WhereverItStands_LeavesNoTrace(string name, EvaluationOrder order)
    {
        var (values, expected) = TrainedAlone(name);
        // Three forms in turn and two looks an epoch: each has its turn at both, and behind the commit with two of the orders.
        var forms = Enum.GetValues<MaskForm>();
        var looks = (int)order;
        using var watched = new Loop(name);

        var (outputs, sparsities) = Train(watched, loop => loop.Evaluate(order, forms[looks++ % forms.Length]));

        Assert.Equal(values, watched.Values());
        Assert.Equal(expected, sparsities);
        Assert.True(outputs.Distinct().Count() > 100);
    }

    [Theory]
    [InlineData("PDP")]
    [InlineData("GMP")]
    [InlineData("AC/DC")]
    [InlineData("GraNet")]
    public void TrainingBehindTheScope_IsNoEvaluation(string name)
    {
        using var loop = new Loop(name);
        for (var step = 0; step < 20; step++)
            loop.Step(step / 2.0, step);

        foreach (var parameter in loop.Model.parameters())
            parameter.grad = null;
        using (loop.Pruner.Mask())
        {
        }

        loop.StepWithoutScope(batch: 20);

        var fault = Assert.Throws<InvalidOperationException>(() => loop.Step(10, batch: 21));
        Assert.Contains("call backward() inside the scope", fault.Message, StringComparison.Ordinal);
    }

    private static (double[] Values, double[] Sparsities) TrainedAlone(string name)
    {
        if (!Alone.TryGetValue(name, out var trained))
        {
            using var loop = new Loop(name);
            var (_, sparsities) = Train(loop, _ => []);
            Alone[name] = trained = (loop.Values(), sparsities);
        }

        return trained;
    }

    /// <summary>Ten epochs of a step, with a look wherever one may stand.</summary>
    private static (double[] Outputs, double[] Sparsities) Train(Loop loop, Func<Loop, double[]> look)
    {
        var (outputs, sparsities) = (new List<double>(), new List<double>());
        for (var epoch = 0; epoch < 10; epoch++)
        {
            loop.Pruner.BeginEpoch(epoch);
            outputs.AddRange(look(loop));
            sparsities.Add(loop.Pruner.Sparsity);
            loop.Step(epoch + 0.5, batch: epoch);
            outputs.AddRange(look(loop));
            sparsities.Add(loop.Pruner.Sparsity);
        }

        loop.Pruner.Commit();
        outputs.AddRange(look(loop));
        loop.Step(10, batch: 10);
        outputs.AddRange(look(loop));
        loop.Pruner.Commit();
        return ([.. outputs], [.. sparsities]);
    }
}
