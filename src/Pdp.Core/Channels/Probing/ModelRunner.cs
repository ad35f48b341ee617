using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Runs a model for trials, behind a bulkhead, and leaves it as it was.</summary>
internal sealed class ModelRunner : IDisposable
{
    private readonly Module _model;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _mode = inference_mode(false);
    private readonly Bulkhead _bulkhead = new();
    private readonly ModelCall? _call;

    /// <summary>Takes the model, which is in evaluation mode then.</summary>
    /// <param name="model">The model.</param>
    /// <param name="forward">Calls it and gives its outputs.</param>
    /// <exception cref="Exception">What the model throws.</exception>
    public ModelRunner(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _model = model;
        Snapshot = new(model);
        try
        {
            _call = _bulkhead.Run(() => ModelCall.Of(model, forward));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model as it was.</summary>
    public ModelSnapshot Snapshot { get; }

    /// <summary>The inputs of the user's own call; none where they can't be seen.</summary>
    public IReadOnlyList<Tensor> Example => _call!.Example;

    /// <summary>Random inputs as large as the example's, times a gain; null where inputs can't be exchanged.</summary>
    public IReadOnlyList<Tensor>? Normal(Func<Tensor, long[]> shapeOf, ulong seed, double gain = 1) => Example.Count == 0 ? null : ProbeInput.Normal(Example, shapeOf, gain, seed);

    /// <summary>A pass.</summary>
    /// <param name="inputs">The inputs; null for the user's own.</param>
    public Outputs Run(IReadOnlyList<Tensor>? inputs) => _bulkhead.Run(() =>
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Outputs.Of(_call!.Run(inputs));
    });

    /// <summary>Passes forward and back.</summary>
    public ProbePass PassOn(IReadOnlyList<Tensor>? inputs) => new(_model, Snapshot, _bulkhead, () => _call!.Run(inputs));

    /// <summary>The first of other sizes that the model takes; the example's own if it takes none.</summary>
    public Func<Tensor, long[]> OtherSize() => ProbeSizes.Of(Example).FirstOrDefault(Takes) ?? (tensor => tensor.shape);

    public void Dispose()
    {
        _bulkhead.Run(() =>
        {
            _call?.Release();
            return true;
        });
        Snapshot.Dispose();
        _bulkhead.Dispose();
        _mode.Dispose();
        _scope.Dispose();
    }

    private bool Takes(Func<Tensor, long[]> shapeOf)
    {
        try
        {
            using var scope = NewDisposeScope();
            return Run(ProbeInput.Positive(Example, shapeOf, 19)).Largest is > 0 and < double.PositiveInfinity;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return false;
        }
    }
}
