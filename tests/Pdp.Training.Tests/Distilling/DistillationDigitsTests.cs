using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distilling;

using Distillation = Pdp.Training.Distillation;

/// <summary>
/// The loss where numbers are extreme. The reference is KL = log(1 + Σ p·(e^−x − 1 + x)) with x = (z_t − z_s)/T less its mean under p, in
/// which nothing cancels.
/// </summary>
public sealed class DistillationDigitsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(21);

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.3)]
    [InlineData(2)]
    [InlineData(100)]
    [InlineData(1e4)]
    public void Loss_InFloat32_KeepsItsDigitsAtEachTemperature(double temperature)
    {
        var (student, teacher) = (Draw(3, 50).requires_grad_(), Draw(3, 50));

        var loss = Distillation.Loss(zeros([]), student, teacher, new DistillationOptions { Temperature = temperature, Weight = 1 });
        loss.backward();

        var rows = Rows(student.detach()).Zip(Rows(teacher)).Select(pair => Reference(pair.First, pair.Second, temperature)).ToArray();
        var (expected, gradient) = (
            temperature * temperature * rows.Average(row => row.Divergence), rows.SelectMany(row => row.Gradient).ToArray());
        Assert.Equal(1, loss.item<float>() / expected, 1e-6);
        Assert.Equal(gradient.Select(g => temperature * g / 3), student.grad!.data<float>()
            .Select(g => (double)g), (a, b) => Math.Abs(a - b) <= 1e-5 * Math.Max(Math.Abs(a), 1e-4));
        Assert.Equal(ScalarType.Float32, loss.dtype);
    }

    [Fact]
    public void Loss_OfManyPositions_IsThatOfEachThatCounts()
    {
        var (student, teacher) = (Draw(2000, 50).requires_grad_(), Draw(2000, 50));
        bool[] counts = [.. Enumerable.Range(0, 2000).Select(i => i % 4 != 0)];
        var options = new DistillationOptions { Temperature = 2, Weight = 1 };

        var loss = Distillation.Loss(zeros([]), student, teacher, options, tensor(counts));
        loss.backward();

        var rows = Rows(student.detach()).Zip(Rows(teacher)).Select(pair => Reference(pair.First, pair.Second, 2)).ToArray();
        var gradient = rows.Zip(counts).SelectMany(row => row.First.Gradient.Select(g => row.Second ? 2 * g / 1500 : 0));
        Assert.Equal(1, loss.item<float>() / (4 * rows.Zip(counts).Where(row => row.Second).Average(row => row.First.Divergence)), 1e-6);
        Assert.Equal(gradient, student.grad!.data<float>()
            .Select(g => (double)g), (a, b) => Math.Abs(a - b) <= 1e-5 * Math.Max(Math.Abs(a), 1e-7));
    }

    [Fact]
    public void Loss_OfATermWithoutWeight_DoesNotTouchIt()
    {
        var (logits, wrong, task) = (Draw(2, 3), full([2, 3], float.NaN), tensor(0.5f));
        var states = new HiddenStates([wrong], [wrong]);

        Assert.Equal(0.5f, Distillation.Loss(task, logits, wrong, new DistillationOptions { Weight = 0 }).item<float>());
        Assert.Equal(0f, Distillation.Loss(tensor(float.NaN), logits, logits, new DistillationOptions { Weight = 1 }).item<float>(), 1e-6f);
        Assert.Equal(0.25f, Distillation.Loss(task, logits, logits, new DistillationOptions { HiddenWeight = 0 }, hidden: states)
            .item<float>(), 1e-6f);
    }

    [Fact]
    public void Loss_OfLargeHiddenStates_IsThatOfTheirDirections()
    {
        var (student, teacher) = (tensor(new[,] { { 1e25f, 0 } }).requires_grad_(), tensor(new[,] { { 1e25f, 1e25f } }));
        var (logits, options) = (Draw(2, 3), new DistillationOptions { HiddenDistance = HiddenDistance.Cosine });

        var cosine = Distillation.Loss(zeros([]), logits, logits, options, hidden: new HiddenStates([student], [teacher]));
        cosine.backward();
        var square = Distillation.Loss(
            zeros([], ScalarType.Float64), logits, logits, new DistillationOptions(), hidden: new HiddenStates([student], [teacher]));

        Assert.Equal(1 - Math.Sqrt(0.5), cosine.item<float>(), 1e-6);
        Assert.All(student.grad!.data<float>(), value => Assert.True(float.IsFinite(value)));
        Assert.Equal(0.5, square.item<double>() / 1e50, 1e-6);
    }

    private static (double Divergence, double[] Gradient) Reference(double[] student, double[] teacher, double temperature)
    {
        var powers = teacher.Select(z => Math.Exp((z - teacher.Max()) / temperature)).ToArray();
        double[] p = [.. powers.Select(power => power / powers.Sum())];
        double[] distances = [.. teacher.Zip(student, (t, s) => (t - s) / temperature)];
        var mean = distances.Zip(p, (distance, share) => distance * share).Sum();
        double[] x = [.. distances.Select(distance => distance - mean)];
        var excess = x.Zip(p, (value, share) => share * Rest(-value, 2)).Sum();
        var divergence = excess < 1e-3 ? excess * (1 - (excess * (0.5 - (excess / 3)))) : Math.Log(1 + excess);
        return (divergence, [.. x.Zip(p, (value, share) => share * Rest(-value - divergence, 1))]);
    }

    // e^x without the first terms of its series.
    private static double Rest(double x, int from)
    {
        if (Math.Abs(x) > 0.5)
            return Math.Exp(x) - (from == 1 ? 1 : 1 + x);

        var (term, sum) = (1.0, 0.0);
        for (var k = 0; k < 20; term *= x / ++k)
            sum += k < from ? 0 : term;

        return sum;
    }

    private static IEnumerable<double[]> Rows(Tensor tensor) =>
        tensor.to_type(ScalarType.Float64).data<double>().ToArray().Chunk((int)tensor.shape[^1]);

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
