using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp.Training.Files;

/// <summary>Validates tensors against a module and copies them into it. It must be used within a dispose scope of the caller.</summary>
internal sealed class ModuleFit
{
    private const int FaultsShown = 5;
    private readonly Dictionary<string, Tensor> _targets;
    private readonly IReadOnlyDictionary<string, Tensor> _tensors;
    private readonly LoadOptions _options;

    /// <summary>The names of each tensor of the module; a tied one has several.</summary>
    private readonly string[][] _names;

    /// <exception cref="InvalidDataException">The tensors do not fit.</exception>
    /// <exception cref="InvalidOperationException">A tensor of the module has no memory to copy into.</exception>
    public ModuleFit(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source, LoadOptions options)
    {
        (_targets, _tensors, _options) = (module.state_dict(), tensors, options);
        _names =
        [
            .. _targets.GroupBy(target => TensorAddress.OfNative(target.Value), target => target.Key).Select(tied => tied.ToArray()),
        ];
        RequireMemory();
        var faults = Faults().ToArray();
        if (faults.Length > 0)
        {
            var more = faults.Length > FaultsShown ? $"; and {faults.Length - FaultsShown} more" : "";
            throw new InvalidDataException($"'{source}' does not fit the model: {string.Join("; ", faults.Take(FaultsShown))}{more}.");
        }
    }

    /// <summary>The tensors of the module that are missing under all of their names.</summary>
    private IEnumerable<string> Missing =>
        _names.Where(tied => !tied.Any(_tensors.ContainsKey)).SelectMany(tied => tied);

    private IEnumerable<string> Unexpected => _tensors.Keys.Where(name => !_targets.ContainsKey(name));

    private IEnumerable<string> Shared => _targets.Keys.Where(_tensors.ContainsKey);

    /// <summary>Copies the tensors.</summary>
    public LoadResult Copy()
    {
        CopyAll(_tensors);
        return new LoadResult
        {
            Missing = [.. Missing],
            Unexpected = [.. Unexpected],
            Converted = [.. Shared.Where(name => _tensors[name].dtype != _targets[name].dtype)],
        };
    }

    /// <summary>Copies the tensors, then runs an action; if that throws, the module is restored.</summary>
    public LoadResult Copy(Action then)
    {
        var before = Shared.ToDictionary(name => name, name => _targets[name].detach().clone(), StringComparer.Ordinal);
        var result = Copy();
        try
        {
            then();
        }
        catch
        {
            CopyAll(before);
            throw;
        }

        return result;
    }

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";

    // Not all files hold the batch counters of batch norms, which only a cumulative average uses.
    private static bool IsCounter(string name) => name.EndsWith("num_batches_tracked", StringComparison.Ordinal);

    private void CopyAll(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var noGrad = no_grad();
        foreach (var name in Shared)
        {
            _targets[name].copy_(tensors[name]);
        }
    }

    // libtorch refuses to copy into a sparse tensor only when its turn comes, and copies nothing into one on the meta device.
    private void RequireMemory()
    {
        if (Shared.FirstOrDefault(name => _targets[name].is_sparse || _targets[name].device_type == TorchSharp.DeviceType.META) is { } name)
        {
            throw new InvalidOperationException(
                $"'{name}' of the model has no dense values to load into, as in a packed model: call Unpack() first.");
        }

        if (Shared.FirstOrDefault(name => ExpandedView.Is(_targets[name])) is { } view)
        {
            throw new InvalidOperationException(
                $"'{view}' of the model is an expanded view, whose numbers share their memory, and can't be loaded: use its contiguous().");
        }
    }

    private IEnumerable<string> Faults()
    {
        string[] unfit = [.. Shared.Where(name => !Fits(name))];
        return
        [
            .. Missing.Where(name => !_options.AllowMissing && !IsCounter(name)).Select(name => $"'{name}' is missing"),
            .. unfit.Select(name => $"'{name}' is {Describe(_tensors[name])} where the model has {Describe(_targets[name])}"),
            .. Shared.Except(unfit).Where(Overflows)
                .Select(name => $"'{name}' holds numbers that are too large for {_targets[name].dtype}"),
            .. unfit.Length > 0 ? [] : Untied(),
            .. Unexpected.Where(name => !_options.AllowUnexpected && !IsCounter(name)).Select(name => $"'{name}' is not in the model"),
        ];
    }

    private bool Fits(string name) =>
        _tensors[name].shape.AsSpan().SequenceEqual(_targets[name].shape) && Takes(_targets[name], _tensors[name]);

    // Where one tensor of the module has two names, which have different values in the file, only one could be loaded.
    private IEnumerable<string> Untied() =>
        from tied in _names
        let found = Array.FindAll(tied, _tensors.ContainsKey)
        from other in found.Skip(1)
        where !IsSame(_tensors[found[0]], _tensors[other])
        select $"'{found[0]}' and '{other}' have different values, and are one tensor in the model";

    private static bool IsSame(Tensor one, Tensor other)
    {
        if (!HasValues(one) || !HasValues(other))
        {
            return true;
        }

        using var scope = NewDisposeScope();
        return one.eq(other).logical_or(one.ne(one).logical_and(other.ne(other))).all().cpu().bytes[0] != 0;
    }

    // A conversion that turns numbers into infinity.
    private bool Overflows(string name)
    {
        var (tensor, type) = (_tensors[name], _targets[name].dtype);
        if (tensor.dtype == type || !HasValues(tensor))
        {
            return false;
        }

        using var scope = NewDisposeScope();
        return tensor.to_type(type).isinf().logical_and(tensor.isinf().logical_not()).any().cpu().bytes[0] != 0;
    }

    private static bool HasValues(Tensor tensor) => !tensor.is_sparse && tensor.device_type != TorchSharp.DeviceType.META;

    private bool Takes(Tensor target, Tensor tensor) =>
        tensor.dtype == target.dtype || (_options.AllowConversion && tensor.is_floating_point() && target.is_floating_point());
}
