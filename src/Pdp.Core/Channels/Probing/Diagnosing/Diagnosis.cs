using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Diagnosing;

/// <summary>Says why a layer's channels can't be removed, from what changes when one of them does.</summary>
internal sealed class Diagnosis : IDisposable
{
    /// <summary>The reason of layers whose channels leave the model.</summary>
    public const string Outputs = "its channels are outputs of the model";

    private readonly Module _model;
    private readonly ModelRunner _runner;
    private readonly Action _fill;
    private readonly Action _fillWithoutShifts;
    private readonly Wiring _evaluation;
    private readonly Dictionary<Module, string> _names;
    private readonly (string Name, Parameter Parameter)[] _bare;
    private readonly Dictionary<ProbedLayer, string?> _reasons = [];
    private Wiring? _training;
    private Reach? _silence;

    /// <summary>Records a pass of the model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="runner">Runs the model.</param>
    /// <param name="fill">Puts the model into the state to look at.</param>
    /// <param name="fillWithoutShifts">Puts it into a state in which biases and norms shift nothing.</param>
    public Diagnosis(Module model, IReadOnlyList<ProbedLayer> layers, ModelRunner runner, Action fill, Action fillWithoutShifts)
    {
        (_model, _runner, _fill, _fillWithoutShifts) = (model, runner, fill, fillWithoutShifts);
        _names = ModelModules.Of(model).DistinctBy(pair => pair.Module).ToDictionary(pair => pair.Module, pair => pair.Name);
        var taken = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        _bare =
        [
            .. model.named_parameters().Where(pair => pair.parameter.is_floating_point() && pair.parameter.dim() > 1
                && !taken.Contains(TensorAddress.OfNative(pair.parameter))),
        ];
        _fill();
        _evaluation = new(model, runner, isTraining: false);
    }

    private Wiring Training => _training ??= new(_model, _runner, isTraining: true);

    /// <summary>Whether a module runs in evaluation mode.</summary>
    public bool HasCalled(Module module) => _evaluation.HasCalled(module);

    /// <summary>Why a layer's channels can't be removed; null if no reason is seen.</summary>
    public string? Of(ProbedLayer layer)
    {
        if (_reasons.TryGetValue(layer, out var known))
            return known;

        _fill();
        var wiring = _evaluation.HasCalled(layer.Module) ? _evaluation : Training;
        return _reasons[layer] = wiring.HasCalled(layer.Module)
            ? ReasonOf(layer, wiring)
            : "it doesn't run in every pass, or not by call(), so that it can't be seen what reads its channels";
    }

    /// <summary>Why a layer's channels can't be removed, from what training mode runs; null if no reason is seen.</summary>
    public string? InTraining(ProbedLayer layer)
    {
        _fill();
        return Training.HasCalled(layer.Module) ? ReasonOf(layer, Training) : null;
    }

    public void Dispose()
    {
        _evaluation.Dispose();
        _training?.Dispose();
    }

    private string? ReasonOf(ProbedLayer layer, Wiring wiring)
    {
        long[] channels = [.. new[] { 0, 1, layer.Outputs - 1 }.Where(channel => channel < layer.Outputs).Distinct()];
        Reach[] reaches = [.. channels.Select(channel => wiring.Of(layer, channel))];
        if (!wiring.IsConclusive)
            return "it can't be seen what reads its channels, since the model's output is not finite or all zero";
        if (reaches.Any(reach => reach.IsDiverted))
            return "its channels decide which layers run, or on how many rows";
        if (AreOutputs(reaches))
            return Outputs;

        return Readers(reaches).Select(reader => ReasonOf(reader, layer, wiring, channels, reaches))
            .FirstOrDefault(reason => reason is not null)
            ?? (reaches.Any(reach => reach.Outputs.Any(changed => changed.Length > 0))
                ? "the model's output is computed from its channels together, by code outside of layers"
                : Readers(reaches).Any() ? null
                : "nothing is seen to read its channels, or only what has no gradient, such as a comparison");
    }

    private static IEnumerable<Module> Readers(Reach[] reaches) => reaches.SelectMany(reach => reach.Inputs.Keys).Distinct();

    /// <summary>Whether each channel has its own place in an output.</summary>
    private static bool AreOutputs(Reach[] reaches) =>
        Enumerable.Range(0, reaches[0].Outputs.Count).Any(dimension =>
            reaches.All(reach => reach.Outputs[dimension].Length > 0)
            && AreDisjoint([.. reaches.Select(reach => reach.Outputs[dimension])]));

    private static bool AreDisjoint(IReadOnlyList<IEnumerable<long>> sets) =>
        sets.SelectMany(set => set).CountBy(index => index).All(index => index.Value == 1);

    private string? ReasonOf(Module reader, ProbedLayer layer, Wiring wiring, long[] channels, Reach[] reaches)
    {
        var name = _names[reader];
        if (reader is TorchSharp.Modules.LayerNorm)
            return $"the layer norm '{name}' normalizes over its channels";

        SortedSet<long>[] read = [.. reaches.Select(reach => reach.Inputs.GetValueOrDefault(reader) ?? [])];
        if (reader is TorchSharp.Modules.GroupNorm norm)
            return norm.num_groups == layer.Outputs ? null : $"the group norm '{name}' normalizes over several of its channels";

        var weight = ProbedLayer.Dotted(name, "weight");
        if (!AreDisjoint(read))
            return $"{weight} reads its channels mixed by code between the two{Using(reader, wiring)}, such as a softmax, a norm, a "
                + "product or a maximum over channels";
        if (read.Any(indices => indices.Count == 0))
            return $"{weight} reads only some of its channels";
        if (!AreInOrder(channels, read))
            return $"{weight} reads its channels in another order, or some of them repeated or joined";
        return IsSilent(reader, read.SelectMany(indices => indices))
            ? null
            : $"{weight} reads its channels where a masked one isn't zero: after a sigmoid, softplus or exp, or where something else is "
                + "added";
    }

    /// <summary>Whether channel c is read at the indices that follow those of channel c − 1.</summary>
    private static bool AreInOrder(long[] channels, SortedSet<long>[] read)
    {
        var block = read[0].Count;
        return block > 0 && channels.Zip(read).All(pair => pair.Second.Count == block
            && pair.Second.Min == read[0].Min + ((pair.First - channels[0]) * block) && pair.Second.Max == pair.Second.Min + block - 1);
    }

    /// <summary>Whether some inputs of a module are zero when all layers return zeros, and norms don't shift.</summary>
    private bool IsSilent(Module reader, IEnumerable<long> inputs)
    {
        if (_silence is null)
        {
            _fillWithoutShifts();
            _silence = _evaluation.OfSilence();
            _fill();
        }

        return _silence.IsDiverted || _silence.AreZero(reader, inputs);
    }

    /// <summary>Names a matrix that belongs to no layer and is used between layers before a reader.</summary>
    private string Using(Module reader, Wiring wiring) =>
        _bare.Where(bare => wiring.Of(bare.Parameter).Inputs.ContainsKey(reader)).Select(bare => $", with {bare.Name}").FirstOrDefault("");
}
