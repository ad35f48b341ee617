using System.Runtime.InteropServices;
using Pdp.Channels.Probing.Running;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Trials;

/// <summary>
/// Runs a model on the user's example and on random inputs of the same shapes, and compares its outputs with the plain model's.
/// </summary>
internal sealed class Example : IDisposable
{
    private const ulong Seed = 7;
    private const string Null = "The function that calls the model returned null: it has to return the model's output.";

    /// <summary>
    /// How large random inputs are, relative to the example. Large ones reach both sides of an activation whose inputs on the example are
    /// all on one side, and so reveal what else reads these.
    /// </summary>
    private static readonly double[] Gains = [0.5, 30];

    private readonly ModelCall _call;
    private readonly List<IReadOnlyList<Tensor>> _random = [];
    private readonly List<string> _refusals = [];
    private readonly List<(IReadOnlyList<Tensor>? Inputs, IReadOnlyList<Tensor> Outputs)> _expected = [];
    private readonly OutputWatch _watch;

    /// <summary>Runs the plain model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="forward">Calls it.</param>
    public Example(Module model, Func<Tensor> forward)
    {
        _call = ModelCall.Of(model, () => [forward() ?? throw new InvalidOperationException(Null)]);
        _watch = new(model);
        try
        {
            if (_call.Example.Count > 0)
                _random.AddRange(Gains.Select(gain => ProbeInput.Normal(_call.Example, tensor => tensor.shape, gain, Seed)));
            Expect(null);
            _random.ForEach(Try);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Says that the model refused random inputs, and why, if it did.</summary>
    public IEnumerable<string> Notes => _refusals.Take(1).Select(why =>
        $"The model refuses random numbers as inputs, so that its outputs are compared on {(_expected.Count > 1 ? "fewer" : "none")} of "
        + $"them: {why}");

    /// <summary>Runs the example.</summary>
    public void Run()
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode();
        _call.Run(null);
    }

    /// <summary>Whether the model gives what the plain one gave, up to rounding.</summary>
    /// <remarks>
    /// A model may also fail: <c>view</c> refuses channels that are last in memory, and code that reads a packed weight itself finds none.
    /// </remarks>
    public bool IsSame()
    {
        try
        {
            return _expected.All(pair => IsSame(pair.Inputs, pair.Outputs));
        }
        catch (Exception fault) when (IsOfModel(fault))
        {
            return false;
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        _call.Release();
        foreach (var output in _expected.SelectMany(pair => pair.Outputs))
            output.Dispose();
    }

    private bool IsSame(IReadOnlyList<Tensor>? inputs, IReadOnlyList<Tensor> expected)
    {
        using var scope = NewDisposeScope();
        var outputs = OutputsFor(inputs);
        return outputs.Count == expected.Count && outputs.Zip(expected).All(pair => Output.IsSame(pair.First, pair.Second));
    }

    /// <summary>What TorchSharp, or a model's own checks, throw where a layer's weight or output is of another form.</summary>
    private static bool IsOfModel(Exception fault) =>
        fault is ExternalException or InvalidOperationException or ArgumentException or NotImplementedException or NotSupportedException;

    /// <summary>
    /// Random numbers may be none of the model's inputs: too large, lengths in the wrong order, or indices of the model's own arrays.
    /// </summary>
    private void Try(IReadOnlyList<Tensor> inputs)
    {
        try
        {
            Expect(inputs);
        }
        catch (Exception fault) when (fault is not (OutOfMemoryException or OperationCanceledException))
        {
            _refusals.Add(fault.Message.Split('\n')[0]);
        }
    }

    private void Expect(IReadOnlyList<Tensor>? inputs)
    {
        using var scope = NewDisposeScope();
        _expected.Add((inputs, [.. OutputsFor(inputs).Select(output => output.detach().clone().DetachFromDisposeScope())]));
    }

    /// <summary>What the user's function returns, and all that the model returned during the call; in the current scope.</summary>
    private IReadOnlyList<Tensor> OutputsFor(IReadOnlyList<Tensor>? inputs)
    {
        using var _ = inference_mode();
        return _watch.Collect(() => _call.Run(inputs)[0]);
    }
}
