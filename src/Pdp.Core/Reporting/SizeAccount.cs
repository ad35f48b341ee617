using Pdp.Channels.Counting;
using Pdp.Internal;
using static TorchSharp.torch.nn;

namespace Pdp.Reporting;

/// <summary>Computes the size of a model without some channels, from the shapes that its parameters had at the beginning.</summary>
internal sealed class SizeAccount
{
    private readonly (string Name, long[] Shape, long ElementSize)[] _parameters;
    private readonly MacCount? _macs;

    /// <summary>Records the shapes.</summary>
    /// <exception cref="ArgumentException">The MACs belong to another model.</exception>
    public SizeAccount(Module model, ChannelMap map, MacCount? macs)
    {
        if (macs is not null)
            map.RequireFit(macs);
        _parameters =
        [
            .. model.named_parameters().Where(pair => pair.parameter.numel() > 0).DistinctBy(pair => TensorAddress.Of(pair.parameter))
                .Select(pair => (pair.name, pair.parameter.shape, pair.parameter.ElementSize)),
        ];
        _macs = macs;
    }

    /// <summary>The sizes before and after cutting.</summary>
    /// <param name="cuts">Groups of channels, each once, with the number of channels removed from it.</param>
    public SizeChange After(IReadOnlyList<ChannelCut> cuts) => new(SizeOf([]), SizeOf(cuts));

    private ModelSize SizeOf(IReadOnlyList<ChannelCut> cuts)
    {
        var lost = new ChannelCuts(cuts);
        var parameters = _parameters.Select(parameter =>
            (Count: lost.ShapeLeft(parameter.Name, parameter.Shape).Aggregate(1L, (product, size) => product * size),
                parameter.ElementSize)).ToArray();
        return new()
        {
            Parameters = parameters.Sum(parameter => parameter.Count),
            Bytes = parameters.Sum(parameter => parameter.Count * parameter.ElementSize),
            Macs = _macs?.After(cuts).Total,
        };
    }
}
