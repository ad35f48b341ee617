using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>A committed network in the forms that it may be used in: as it is, without its removed channels, packed.</summary>
internal sealed class FinalForms(Settings settings, ResNet20 model, PdpPruner? pruner, Evaluation test)
{
    /// <summary>Cuts out removed channels; null where there are none, as other strategies leave zeros.</summary>
    public ShrinkReport? Shrink()
    {
        using var scope = NewDisposeScope();
        return pruner is not null && settings.Strategy == "channel" ? pruner.Shrink(test.Example()) : null;
    }

    /// <summary>One picture through the network as it is; null where nothing is measured.</summary>
    public Deployment? Measured(string form)
    {
        using var scope = NewDisposeScope();
        return settings.Deploy && pruner is not null ? Deployment.Plain(form, model, test.Example().narrow(0, 0, 1)) : null;
    }

    /// <summary>The same on its nonzeros.</summary>
    public Deployment? Packed()
    {
        using var scope = NewDisposeScope();
        return settings.Deploy && pruner is not null ? Deployment.Packed(model, test.Example().narrow(0, 0, 1)) : null;
    }

    /// <summary>A line for each that was measured.</summary>
    public static string Table(IEnumerable<Deployment?> forms) => forms.OfType<Deployment>().ToArray() is [_, ..] measured
        ? string.Concat(measured.Select(form => $"{form}{Environment.NewLine}").Prepend(Deployment.Header + Environment.NewLine))
        : "";

    /// <summary>The shrunk network against one as large as before.</summary>
    public double Speedup()
    {
        using var dense = new ResNet20(settings.Width);
        using var scope = NewDisposeScope();
        return Speed.Ratio(dense, model, test.Example());
    }
}
