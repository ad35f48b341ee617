using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>Sees the same part of every picture.</summary>
internal sealed class FixedView(View view, int side) : IViewer
{
    public int Side => side;

    public View Of(int width, int height, SplitMix random) => view;
}
