using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distilling;

using Distillation = Pdp.Training.Distillation;

public sealed class DistillationTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(21);
    private readonly Tensor _task;

    public DistillationTests() => _task = tensor(0.75, ScalarType.Float64);

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(4, 0.9)]
    [InlineData(0.5, 1)]
    public void Loss_OfSoftTargets_FollowsItsEquation(double temperature, double weight)
    {
        var (student, teacher) = (Draw(5, 7), Draw(5, 7));

        var loss = Distillation.Loss(_task, student, teacher, new DistillationOptions { Temperature = temperature, Weight = weight });

        var divergence = Rows(student).Zip(Rows(teacher), (z, t) => Divergence(z, t, temperature)).Average();
        Assert.Equal(((1 - weight) * 0.75) + (weight * temperature * temperature * divergence), loss.item<double>(), 1e-12);
        Assert.Empty(loss.shape);
    }

    [Fact]
    public void Loss_OfSoftTargets_HasTheGradientOfItsEquation()
    {
        var (student, teacher) = (Draw(5, 7).requires_grad_(), Draw(5, 7));
        var options = new DistillationOptions { Temperature = 3, Weight = 0.4 };

        Distillation.Loss(_task, student, teacher, options).backward();

        // α·T²·(1/n)·(q − p)/T
        var expected = Rows(student.detach())
            .Zip(Rows(teacher), (z, t) => Softmax(z, 3).Zip(Softmax(t, 3), (q, p) => 0.4 * 3 * (q - p) / 5)).SelectMany(row => row);
        Assert.Equal(expected, student.grad!.data<double>(), (a, b) => Math.Abs(a - b) < 1e-14);
    }

    [Theory]
    [InlineData(HiddenDistance.MeanSquare)]
    [InlineData(HiddenDistance.Cosine)]
    public void Loss_WithHiddenStates_AddsTheirMeanDistance(HiddenDistance kind)
    {
        var (student, teacher) = (Draw(2, 3), Draw(2, 3));
        Tensor[] taught = [Draw(2, 4, 6), Draw(2, 4, 6)], teaching = [Draw(2, 4, 6), Draw(2, 4, 6)];
        var options = new DistillationOptions { HiddenDistance = kind, HiddenWeight = 0.3 };

        var added = Distillation.Loss(_task, student, teacher, options, hidden: new HiddenStates(taught, teaching)).item<double>()
            - Distillation.Loss(_task, student, teacher, options).item<double>();

        var expected = taught.Zip(teaching, (s, t) => Rows(s).Zip(Rows(t), (a, b) => Distance(a, b, kind)).Average()).Average();
        Assert.Equal(0.3 * expected, added, 1e-12);
    }

    [Theory]
    [InlineData(ScalarType.Bool)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Float32)]
    public void Loss_WithAMask_IsThatOfTheCountedPositionsAlone(ScalarType type)
    {
        var mask = tensor(new long[] { 1, 0, 1, 0 }).to_type(type);
        var (student, teacher, states, targets) = (Draw(4, 7), Draw(4, 7), Draw(4, 6), Draw(4, 6));
        var kept = tensor(new long[] { 0, 2 });
        foreach (var kind in Enum.GetValues<HiddenDistance>())
        {
            var options = new DistillationOptions { HiddenDistance = kind };

            var masked = Distillation.Loss(_task, student, teacher, options, mask, new HiddenStates([states], [targets]) { Mask = mask });
            var alone = Distillation.Loss(
                _task, student.index_select(0, kept), teacher.index_select(0, kept), options, hidden: new HiddenStates(
                    [states.index_select(0, kept)], [targets.index_select(0, kept)]));

            Assert.Equal(alone.item<double>(), masked.item<double>(), 1e-14);
        }
    }

    [Theory]
    [InlineData(HiddenDistance.MeanSquare)]
    [InlineData(HiddenDistance.Cosine)]
    public void Loss_WhenPaddingIsNaN_IsFiniteAndGivesItNoGradient(HiddenDistance kind)
    {
        var padded = tensor(new[] { 1.0, double.NaN }).unsqueeze(1).mul(ones(2, 3, dtype: ScalarType.Float64));
        var (student, states) = (padded.clone().requires_grad_(), padded.clone().requires_grad_());
        var mask = tensor(new[] { true, false });

        var loss = Distillation.Loss(
            _task, student, padded.neg(), new DistillationOptions
            {
                HiddenDistance = kind,
            }, mask, new HiddenStates([states], [padded.neg()]) { Mask = mask });
        loss.backward();

        Assert.True(double.IsFinite(loss.item<double>()));
        Assert.All(student.grad!.data<double>().Concat(states.grad!.data<double>()), value => Assert.True(double.IsFinite(value)));
        Assert.All(states.grad!.data<double>().Skip(3), value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Loss_OfLargeLogits_IsExact(ScalarType type)
    {
        var student = tensor(new double[,] { { 3e4, -3e4, 0 }, { 0, 3e4, 0 } }).to_type(type).requires_grad_();
        var teacher = tensor(new double[,] { { 3e4, 0, -3e4 }, { 3e4, 0, 0 } }).to_type(type);
        var options = new DistillationOptions { Temperature = 1, Weight = 1 };

        var loss = Distillation.Loss(zeros([]), student, teacher, options);
        loss.backward();

        // The first rows agree; in the second, log p − log q is 3·10⁴ where p is 1.
        Assert.Equal(teacher[1, 0].to_type(ScalarType.Float32).item<float>() / 2, loss.item<float>());
        Assert.Equal([0, 0, 0, -0.5, 0.5, 0], student.grad!.to_type(ScalarType.Float64).data<double>(), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Loss_WhenTheTeacherRulesAClassOut_IsFinite()
    {
        var student = tensor(new[,] { { 1.0, 2, double.NegativeInfinity } }).requires_grad_();

        var loss = Distillation.Loss(
            _task, student, tensor(new[,] { { 1.0, 2, double.NegativeInfinity } }), new DistillationOptions { Weight = 1 });
        loss.backward();

        Assert.Equal(0, loss.item<double>(), 1e-15);
        Assert.All(student.grad!.data<double>(), value => Assert.Equal(0, value, 1e-15));
    }

    [Fact]
    public void Loss_WhenNothingCounts_IsTheTasksShare()
    {
        var loss = Distillation.Loss(_task, Draw(2, 3), Draw(2, 3), new DistillationOptions { Weight = 0.25 }, zeros(2));

        Assert.Equal(0.75 * 0.75, loss.item<double>());
    }

    [Fact]
    public void Loss_WhenArgumentsDoNotGoTogether_SaysSo()
    {
        var (logits, options) = (Draw(2, 3), new DistillationOptions());

        Assert.Contains(
            "[2, 3], and the teacher's [2, 4]",
            Fault(() => Distillation.Loss(_task, logits, Draw(2, 4), options)),
            StringComparison.Ordinal);
        Assert.Contains("mask is [3]", Fault(() => Distillation.Loss(_task, logits, logits, options, ones(3))), StringComparison.Ordinal);
        Assert.Contains(
            "no_grad", Fault(() => Distillation.Loss(_task, logits, Draw(2, 3).requires_grad_(), options)), StringComparison.Ordinal);
        Assert.Contains(
            "one number, but is [2]", Fault(() => Distillation.Loss(ones(2), logits, logits, options)), StringComparison.Ordinal);
        Assert.Contains(
            "one number, but is [1]", Fault(() => Distillation.Loss(ones(1), logits, logits, options)), StringComparison.Ordinal);
        Assert.Contains(
            "logits are [0, 3], which holds nothing",
            Fault(() => Distillation.Loss(_task, Draw(0, 3), Draw(0, 3), options)),
            StringComparison.Ordinal);
        Assert.Contains(
            "hidden states are [2, 0], which",
            Fault(() => Distillation.Loss(_task, logits, logits, options, hidden: new HiddenStates([Draw(2, 0)], [Draw(2, 0)]))),
            StringComparison.Ordinal);
        Assert.Contains(
            "1 hidden states, and the teacher 0",
            Fault(() => Distillation.Loss(_task, logits, logits, options, hidden: new HiddenStates([logits], []))),
            StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => Distillation.Loss(_task, logits, null!, options));
        Assert.Throws<ArgumentNullException>(() => Distillation.Loss(_task, logits, logits, null!));

        static string Fault(Action action) => Assert.Throws<ArgumentException>(action).Message;
    }

    [Fact]
    public void Options_ByDefault_AreThoseOfTheirDescriptions()
    {
        var options = new DistillationOptions();

        Assert.Equal((2.0, 0.5, 1.0), (options.Temperature, options.Weight, options.HiddenWeight));
        Assert.Equal(HiddenDistance.MeanSquare, options.HiddenDistance);
    }

    [Fact]
    public void Options_WhenANumberIsOutOfRange_SaySo()
    {
        var options = new DistillationOptions();

        foreach (var value in new[] { double.NaN, -0.1, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => options with { Temperature = value });
            Assert.Throws<ArgumentOutOfRangeException>(() => options with { Weight = value });
            Assert.Throws<ArgumentOutOfRangeException>(() => options with { HiddenWeight = value });
        }

        foreach (var temperature in new[] { 0, 9e-4, 10001 })
            Assert.Throws<ArgumentOutOfRangeException>(() => options with { Temperature = temperature });

        Assert.Throws<ArgumentOutOfRangeException>(() => options with { Weight = 1.1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { HiddenDistance = (HiddenDistance)2 });
    }

    [Fact]
    public void Loss_ManyTimes_LeavesNoTensorBehind()
    {
        using var mask = ones(2);
        var (logits, options) = (Draw(2, 3), new DistillationOptions { HiddenDistance = HiddenDistance.Cosine });

        Leaks.None(() =>
            Distillation.Loss(_task, logits, logits, options, mask, new HiddenStates([logits], [logits]) { Mask = mask }).Dispose());
    }

    private static double[] Softmax(double[] logits, double temperature)
    {
        var powers = logits.Select(z => Math.Exp((z - logits.Max()) / temperature)).ToArray();
        return [.. powers.Select(power => power / powers.Sum())];
    }

    private static double Divergence(double[] student, double[] teacher, double temperature) =>
        Softmax(teacher, temperature).Zip(Softmax(student, temperature), (p, q) => p * Math.Log(p / q)).Sum();

    private static double Distance(double[] student, double[] teacher, HiddenDistance kind) => kind == HiddenDistance.MeanSquare
        ? student.Zip(teacher, (s, t) => (s - t) * (s - t)).Average()
        : 1 - (Dot(student, teacher) / Math.Sqrt(Dot(student, student) * Dot(teacher, teacher)));

    private static double Dot(double[] one, double[] other) => one.Zip(other, (a, b) => a * b).Sum();

    private static IEnumerable<double[]> Rows(Tensor tensor) => tensor.contiguous().data<double>().ToArray().Chunk((int)tensor.shape[^1]);

    private Tensor Draw(params long[] shape) => randn(shape, dtype: ScalarType.Float64, generator: _generator);
}
