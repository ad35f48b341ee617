using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>Runs a forward and a backward pass from a scalar to which every element of the model's outputs contributes.</summary>
/// <remarks>
/// If training mode has other outputs, as with auxiliary heads, the outputs of both modes contribute. Norms evaluate in both.
/// </remarks>
internal sealed class ProbePass(Module model, ModelSnapshot snapshot, PassThread thread, Func<IReadOnlyList<Tensor>> forward)
{
    private readonly Dictionary<long, double[]> _mixtures = [];
    private readonly HashSet<nint> _reached = [];
    private bool? _differs;

    /// <summary>Whether a parameter had a gradient in any of the passes.</summary>
    public bool Reached(Parameter parameter) => _reached.Contains(TensorAddress.OfNative(parameter));

    /// <summary>Runs several passes, and what belongs between them, without changing threads.</summary>
    public T Together<T>(Func<T> passes) => thread.Run(passes);

    /// <inheritdoc cref="Together{T}"/>
    public void Together(Action passes) => thread.Run(() =>
    {
        passes();
        return true;
    });

    /// <summary>Computes the parameters' gradients.</summary>
    /// <exception cref="ArgumentException">The outputs have no gradient.</exception>
    public void Run()
    {
        snapshot.ClearGradients();
        thread.Run(() =>
        {
            using var scope = NewDisposeScope();
            Backward(forward());
            return true;
        });
        if (_differs ??= Differs())
            thread.Run(() => Train(() => Backward(forward())));
        NoteReached();
    }

    private void NoteReached()
    {
        using var scope = NewDisposeScope();
        foreach (var parameter in snapshot.Parameters.Where(parameter => parameter.grad is not null))
            _reached.Add(TensorAddress.OfNative(parameter));
    }

    /// <summary>Whether the outputs differ in training mode.</summary>
    private bool Differs() => thread.Run(() =>
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var evaluated = Outputs.Of(forward());
        Outputs? trained = null;
        return Train(() => trained = Outputs.Of(forward())) && trained is not null
            && (!evaluated.HasShapesOf(trained) || evaluated.DifferencesTo(trained).Any(row => row.Difference > 0));
    });

    /// <summary>Runs a pass in training mode. Returns false if the model fails there.</summary>
    private bool Train(Action pass)
    {
        using var scope = NewDisposeScope();
        using var mode = new TrainingMode(model, withNorms: false);
        try
        {
            pass();
            return true;
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            return false;
        }
    }

    private void Backward(IReadOnlyList<Tensor> outputs)
    {
        Tensor[] differentiable = [.. outputs.Where(output => output.requires_grad)];
        if (differentiable.Length == 0)
        {
            throw new ArgumentException(
                $"The output of the model '{model.GetName()}' has no gradient with respect to its layers: it is detached, or consists of "
                + "integers as from argmax. Return the value before that.");
        }

        foreach (var (i, output) in differentiable.Index())
            Mix(output).backward(retain_graph: i < differentiable.Length - 1);
    }

    private Tensor Mix(Tensor output)
    {
        // Gradients start from real numbers.
        output = output.is_complex() ? view_as_real(output) : output;
        if (!_mixtures.TryGetValue(output.numel(), out var mixture))
        {
            using var random = new RandomTensors(4);
            using var drawn = random.Uniform([output.numel()], 0, 1, output.detach()).to_type(ScalarType.Float64).cpu();
            _mixtures[output.numel()] = mixture = drawn.data<double>().ToArray();
        }

        return output.reshape(-1).mul(tensor(mixture, dtype: output.dtype, device: output.device)).sum();
    }
}
