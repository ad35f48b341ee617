using Pdp.Internal;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>A file that was checked against a model, and whose tensors are copied into it one at a time.</summary>
/// <remarks>
/// The tensors of the file stay packed, in the caller's dispose scope, so that at most one of them is dense beside the model.
/// </remarks>
internal sealed class ModelLoad
{
    private readonly Dictionary<string, Tensor> _targets;
    private readonly Dictionary<string, Tensor> _outlines;
    private readonly StoredModel _stored;

    /// <summary>Reads a file and checks all of it; the model is not changed.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit.</exception>
    /// <exception cref="InvalidOperationException">The model is packed.</exception>
    public ModelLoad(nn.Module model, string path, LoadOptions options)
    {
        try
        {
            _targets = model.state_dict();
            _stored = StoredModel.Read(path);
            _outlines = _stored.Outlines(_targets);
            Safetensors.RequireFit(model, _outlines, path, options);
            _stored.RequirePlaces(_targets);
            RequireValues(model, path, options);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"'{path}' {e.Message}.", e);
        }
    }

    /// <summary>How the file differs from the model.</summary>
    public LoadResult Result => new()
    {
        Missing = [.. Names().Where(tied => !tied.Any(_outlines.ContainsKey)).SelectMany(tied => tied)],
        Unexpected = [.. _outlines.Keys.Where(name => !_targets.ContainsKey(name))],
        Converted = [.. Shared.Where(name => _outlines[name].dtype != _targets[name].dtype)],
    };

    private IEnumerable<string> Shared => _targets.Keys.Where(_outlines.ContainsKey);

    /// <summary>Copies what the file has for some of the model's tensors, each under all of its names.</summary>
    /// <param name="isWanted">Which parameters and buffers.</param>
    public void Copy(Func<Tensor, bool> isWanted)
    {
        using var noGrad = no_grad();
        foreach (var name in Shared.Where(name => isWanted(_targets[name])))
        {
            using var scope = NewDisposeScope();
            _targets[name].copy_(_stored.Unpack(name));
        }
    }

    /// <summary>Checks the values of tensors that are converted or tied, which outlines can't show.</summary>
    private void RequireValues(nn.Module model, string path, LoadOptions options)
    {
        foreach (var names in Names().Select(tied => Array.FindAll(tied, _outlines.ContainsKey)).Where(NeedValues))
        {
            using var scope = NewDisposeScope();
            Safetensors.RequireFit(
                model,
                names.ToDictionary(name => name, _stored.Unpack, StringComparer.Ordinal),
                path,
                options with { AllowMissing = true, AllowConversion = true });
        }
    }

    private bool NeedValues(string[] tied) => tied.Any(_stored.Packed.ContainsKey)
        && (tied.Length > 1 || _outlines[tied[0]].dtype != _targets[tied[0]].dtype);

    /// <summary>The names of each tensor of the model; a tied one has several.</summary>
    private IEnumerable<string[]> Names() =>
        _targets.GroupBy(target => TensorAddress.OfNative(target.Value), target => target.Key).Select(tied => tied.ToArray());
}
