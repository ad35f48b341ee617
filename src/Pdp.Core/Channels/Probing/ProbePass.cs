using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Passes forward and back from one number that every element of the model's outputs contributes to.</summary>
/// <remarks>Where training runs what evaluation doesn't, as auxiliary heads, the outputs of both contribute. Norms evaluate in both.</remarks>
internal sealed class ProbePass(Module model, ModelSnapshot snapshot, Bulkhead bulkhead, Func<IReadOnlyList<Tensor>> forward)
{
    private readonly Dictionary<long, double[]> _mixtures = [];
    private bool? _differs;

    /// <summary>Fills the parameters' gradients.</summary>
    /// <exception cref="ArgumentException">The outputs have no gradient.</exception>
    public void Run()
    {
        snapshot.ClearGradients();
        bulkhead.Run(() =>
        {
            using var scope = NewDisposeScope();
            Backward(forward());
            return true;
        });
        if (_differs ??= Differs())
            bulkhead.Run(() => Train(() => Backward(forward())));
    }

    /// <summary>Whether the outputs in training mode are others.</summary>
    private bool Differs() => bulkhead.Run(() =>
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var evaluated = Outputs.Of(forward());
        Outputs? trained = null;
        return Train(() => trained = Outputs.Of(forward())) && trained is not null
            && (!evaluated.HasShapesOf(trained) || evaluated.DifferencesTo(trained).Any(row => row.Difference > 0));
    });

    /// <summary>Runs in training mode; false if the model doesn't.</summary>
    private bool Train(Action pass)
    {
        using var scope = NewDisposeScope();
        using var mode = new TrainingMode(model, withNorms: false);
        try
        {
            pass();
            return true;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return false;
        }
    }

    private void Backward(IReadOnlyList<Tensor> outputs)
    {
        Tensor[] learning = [.. outputs.Where(output => output.requires_grad)];
        if (learning.Length == 0)
            throw new ArgumentException($"The output of the model '{model.GetName()}' depends on none of its layers in a way that has a gradient: it is detached, or made of whole numbers as by argmax. Give what comes before that.");
        foreach (var (i, output) in learning.Index())
            Mix(output).backward(retain_graph: i < learning.Length - 1);
    }

    private Tensor Mix(Tensor output)
    {
        if (!_mixtures.TryGetValue(output.numel(), out var mixture))
        {
            using var draw = new Draw(4);
            using var drawn = draw.Uniform([output.numel()], 0, 1, output.detach()).to_type(ScalarType.Float64).cpu();
            _mixtures[output.numel()] = mixture = drawn.data<double>().ToArray();
        }

        return output.reshape(-1).mul(tensor(mixture, dtype: output.dtype, device: output.device)).sum();
    }
}
