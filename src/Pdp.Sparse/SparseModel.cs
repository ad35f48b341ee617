using Pdp.Sparse.Folding;
using Pdp.Sparse.Packing;
using Pdp.Sparse.Reporting;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse;

/// <summary>A model whose layers compute on their nonzeros, with its code unchanged, until it is unpacked.</summary>
/// <remarks>
/// <para>
/// Linear layers and convolutions of one and two dimensions with float32 weights on the CPU are packed. Whoever calls the model gets the
/// same numbers up to rounding, for inputs of any batch and size, on any number of threads at once. Where a weight is zero, its input is
/// not read: infinite and NaN inputs don't spread through zeros.
/// </para>
/// <para>
/// The dense weights are gone in the meantime, so that the model can't be trained, moved, saved, or loaded into: each is an error. Weights
/// are replaced by tensors of their shape without values; changing these in place is an error at the next call. No
/// parameter requires a gradient until the model is unpacked; gradients that packed weights had come back with them, whatever
/// <c>zero_grad</c> did meanwhile. TorchSharp's <c>load</c> and <c>load_state_dict</c> copy one tensor after
/// another, so that norms and biases before the first packed weight may have been overwritten when they throw.
/// </para>
/// <para>Pack and unpack while no other thread calls the model.</para>
/// </remarks>
public sealed class SparseModel : IDisposable
{
    private readonly List<PackedLayer> _packed = [];
    private readonly FrozenParameters? _frozen;
    private readonly FoldedModules? _folded;
    private bool _isDisposed;

    internal SparseModel(Module model, IEnumerable<SettledLayer> settled, ReportBuilder report)
    {
        using var scope = NewDisposeScope();
        try
        {
            foreach (var layer in settled)
            {
                _frozen ??= new(model);
                _packed.Add(new(layer));
            }

            _folded = new(_packed.SelectMany(layer => layer.Fold.Followers), model);
            Report = report.Build(_packed);
            Plan = PlanWriter.Of(_packed);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What was packed, what was not and why, and what it gained.</summary>
    public SparseReport Report { get; }

    /// <summary>The choices, for <see cref="SparseOptions.Plan"/>.</summary>
    public SparsePlan Plan { get; }

    /// <summary>Packs a model, with the default options.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="example">An input of the model, of the size that matters most; the layers are timed on it.</param>
    /// <returns>The packed model, which owns the packed weights until it is disposed.</returns>
    /// <exception cref="InvalidOperationException">The model is in training mode, under a mask, or packed already.</exception>
    public static SparseModel Pack(Module<Tensor, Tensor> model, Tensor example) => Pack(model, example, new SparseOptions());

    /// <summary>Packs a model.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="example">An input of the model, of the size that matters most; the layers are timed on it.</param>
    /// <param name="options">The options.</param>
    /// <returns>The packed model, which owns the packed weights until it is disposed.</returns>
    /// <exception cref="ArgumentException">A match of the options has no effect, or the plan doesn't fit the model.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode, under a mask, or packed already.</exception>
    public static SparseModel Pack(Module<Tensor, Tensor> model, Tensor example, SparseOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        return Pack(model, () => model.call(example), options);
    }

    /// <summary>Packs a model that is called in another way, with the default options.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="forward">Calls the model on an example and returns its output; it is called several times.</param>
    /// <returns>The packed model, which owns the packed weights until it is disposed.</returns>
    /// <exception cref="InvalidOperationException">The model is in training mode, under a mask, or packed already.</exception>
    public static SparseModel Pack(Module model, Func<Tensor> forward) => Pack(model, forward, new SparseOptions());

    /// <summary>Packs a model that is called in another way.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="forward">Calls the model on an example and returns its output; it is called several times.</param>
    /// <param name="options">The options.</param>
    /// <returns>The packed model, which owns the packed weights until it is disposed.</returns>
    /// <exception cref="ArgumentException">A match of the options has no effect, or the plan doesn't fit the model.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode, under a mask, or packed already.</exception>
    public static SparseModel Pack(Module model, Func<Tensor> forward, SparseOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        var packer = new Packer(model, options);
        return options.Plan is { } plan ? packer.ByPlan(plan) : packer.ByTrial(forward);
    }

    /// <summary>Packs a model as a plan says, without an example: nothing is run or timed.</summary>
    /// <remarks>The dense weights of a layer are freed as soon as it is packed.</remarks>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="plan">The plan.</param>
    /// <returns>The packed model, which owns the packed weights until it is disposed.</returns>
    /// <exception cref="ArgumentException">The plan doesn't fit the model.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode, under a mask, or packed already.</exception>
    public static SparseModel Pack(Module model, SparsePlan plan)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(plan);
        using var scope = NewDisposeScope();
        return new Packer(model, new() { Plan = plan }).ByPlan(plan);
    }

    /// <summary>Loads a sparse file into a model that runs on its nonzeros, as a plan says: nothing is run or timed.</summary>
    /// <remarks>
    /// This is how a program starts: it makes the model, calls <c>eval()</c>, and loads the file that <see cref="SparseFile.Save"/> wrote,
    /// by the plan that was kept beside it (<see cref="SparsePlan.ToJson"/>). Layer by layer, a weight is read into the model's own memory,
    /// packed, and freed, so that at most one tensor of the file is dense beside the model. <see cref="Unpack"/> gives the file's weights.
    /// </remarks>
    /// <param name="model">The model, in evaluation mode; its weights don't matter.</param>
    /// <param name="path">The file, which has exactly the model's names, shapes and types.</param>
    /// <param name="plan">The plan.</param>
    /// <returns>The packed model, which owns the packed weights until it is disposed.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The plan doesn't fit the model, which is then unchanged.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the model is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode, under a mask, or packed already.</exception>
    public static SparseModel Load(Module model, string path, SparsePlan plan)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(plan);
        using var scope = NewDisposeScope();
        return new Packer(model, new() { Plan = plan }).ByPlan(plan, path);
    }

    /// <summary>Restores the dense weights of the model, bit for bit, in the same parameters.</summary>
    /// <remarks>
    /// A layer that was given another weight in the meantime keeps that one. If <c>to</c> converted the model, the weights come back in the
    /// new type, as new parameters.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// Weights were changed in place while the model was packed, and no call has reported it yet. The model is unpacked nevertheless, with
    /// the weights from before: the changes are lost. Disposal doesn't throw.
    /// </exception>
    public void Unpack()
    {
        string[] edited = [.. _packed.Where(layer => layer.IsEdited).Select(layer => $"'{layer.Layer.WeightName}'")];
        Dispose();
        if (edited.Length > 0)
        {
            throw new InvalidOperationException(
                $"{string.Join(", ", edited)}: changed in place while the model was packed, and the changes are lost. The model is "
                + "unpacked, with the weights from before; change them now.");
        }
    }

    /// <summary>Unpacks the model, whatever was changed in place. A second call does nothing.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        using var scope = NewDisposeScope();
        // One by one: where there is no memory for a dense weight, this and the layers after it stay packed, and can be unpacked later.
        for (; _packed.Count > 0; _packed.RemoveAt(0))
            _packed[0].Dispose();
        _folded?.Dispose();
        _frozen?.Dispose();
        _isDisposed = true;
    }
}
