namespace Pdp.Samples.Cifar10;

/// <summary>The network of a run.</summary>
internal static class Networks
{
    /// <summary>Makes the network with random weights, in the shape that a record gives it where a shrunk one trains on.</summary>
    /// <exception cref="IOException">The record can't be read.</exception>
    /// <exception cref="ArgumentException">The record is of another network.</exception>
    public static ResNet20 Make(Settings settings)
    {
        var model = new ResNet20(settings.Width);
        if (settings.ShrinkRecord is not null)
        {
            ShrinkRecord.FromJson(File.ReadAllText(settings.ShrinkRecord)).Apply(model);
        }

        return model;
    }
}
