using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>A committed network in the forms that it may be used in: as it is, without its removed channels, packed.</summary>
/// <remarks>Times are those of the CPU, on which packed networks run.</remarks>
internal sealed class FinalForms(Settings settings, ResNet20 model, PdpPruner? pruner, Evaluation test)
{
    private bool IsMeasured => settings.Deploy && pruner is not null;

    /// <summary>Cuts out removed channels; null where there are none, as other strategies leave zeros.</summary>
    public ShrinkReport? Shrink()
    {
        using var scope = NewDisposeScope();
        return pruner is not null && settings.Strategy == "channel" ? pruner.Shrink(test.Example(model)) : null;
    }

    /// <summary>One picture through the network before it is shrunk; null where nothing is measured.</summary>
    public Deployment? Dense()
    {
        if (!IsMeasured)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        using var copy = Networks.Make(settings);
        copy.load_state_dict(model.state_dict());
        return Deployment.Plain("dense", copy, Picture(copy));
    }

    /// <summary>The same through the shrunk network, which is on the CPU afterwards.</summary>
    public Deployment? Shrunk()
    {
        using var scope = NewDisposeScope();
        return IsMeasured ? Deployment.Plain("shrunk", model.cpu(), Picture(model)) : null;
    }

    /// <summary>The same on its nonzeros; the network is on the CPU afterwards.</summary>
    public Deployment? Packed()
    {
        using var scope = NewDisposeScope();
        return IsMeasured ? Deployment.Packed(model.cpu(), Picture(model)) : null;
    }

    /// <summary>A line for each that was measured.</summary>
    public static string Table(IEnumerable<Deployment?> forms) => forms.OfType<Deployment>().ToArray() is [_, ..] measured
        ? string.Concat(measured.Select(form => $"{form}{Environment.NewLine}").Prepend(Deployment.Header + Environment.NewLine))
        : "";

    /// <summary>The shrunk network, which is on the CPU afterwards, against one as large as before.</summary>
    public double Speedup()
    {
        using var dense = Networks.Make(settings);
        using var scope = NewDisposeScope();
        return Speed.Ratio(dense, model.cpu(), test.Example(model));
    }

    private Tensor Picture(ResNet20 network) => test.Example(network).narrow(0, 0, 1);
}
