using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>Runs a model on a separate thread, and restores it on disposal.</summary>
internal sealed class ModelRunner : IDisposable
{
    private readonly Module _model;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _mode = inference_mode(false);
    private readonly PassThread _thread = new();
    private readonly ModelCall _call;

    /// <summary>Saves the model and puts it into evaluation mode.</summary>
    /// <param name="model">The model.</param>
    /// <param name="forward">Calls the model and returns its outputs.</param>
    /// <exception cref="Exception">The model throws it.</exception>
    public ModelRunner(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _model = model;
        try
        {
            Snapshot = new(model);
        }
        catch
        {
            Leave();
            throw;
        }

        // The hooks are there before the first pass, so that they can be removed if the native library fails in it.
        _call = new(model, forward);
        try
        {
            Do(_call.Record);
            RequireExample();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The saved state of the model.</summary>
    public ModelSnapshot Snapshot { get; }

    /// <summary>The recorded inputs of the user's call; empty if hooks can't see them.</summary>
    public IReadOnlyList<Tensor> Example => _call.Example;

    /// <summary>Random inputs with the magnitude of the example times a gain; null if inputs can't be replaced.</summary>
    public IReadOnlyList<Tensor>? Normal(Func<Tensor, long[]> shapeOf, ulong seed, double gain = 1) =>
        Example.Count == 0 ? null : ProbeInput.Normal(Example, shapeOf, gain, seed);

    /// <summary>Runs a forward pass.</summary>
    /// <param name="inputs">The inputs; null for the user's own.</param>
    public Outputs Run(IReadOnlyList<Tensor>? inputs) => _thread.Run(() =>
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Outputs.Of(_call.Run(inputs));
    });

    /// <summary>Does something on the thread of the passes, where TorchSharp counts their tensors.</summary>
    public void Do(Action action) => _thread.Run(() =>
    {
        action();
        return true;
    });

    /// <summary>Runs several passes of a model that isn't cut, and what belongs between them, without changing threads.</summary>
    public T Together<T>(Func<T> passes) => _thread.Run(passes);

    /// <summary>Forward and backward passes with these inputs.</summary>
    public ProbePass PassOn(IReadOnlyList<Tensor>? inputs) => new(_model, Snapshot, _thread, () => _call.Run(inputs));

    /// <summary>The first other input size that the model accepts; the example's own if it accepts none.</summary>
    public Func<Tensor, long[]> OtherSize() => ProbeSizes.Of(Example).FirstOrDefault(Takes) ?? (tensor => tensor.shape);

    public void Dispose()
    {
        Do(_call.Release);
        Snapshot.Dispose();
        Leave();
    }

    private void Leave()
    {
        _thread.Dispose();
        _mode.Dispose();
        _scope.Dispose();
    }

    private void RequireExample()
    {
        if (Example.FirstOrDefault(input => input.numel() == 0) is { } empty)
        {
            throw new ArgumentException(
                $"The example is empty: it has the shape [{string.Join(", ", empty.shape)}]. Give a batch of one or more.", "example");
        }
    }

    private bool Takes(Func<Tensor, long[]> shapeOf)
    {
        try
        {
            using var scope = NewDisposeScope();
            return Run(ProbeInput.Positive(Example, shapeOf, 19)).Largest is > 0 and < double.PositiveInfinity;
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            return false;
        }
    }
}
