namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// The middle of the picture after its shorter side was resized, for validation, as torchvision's Resize and CenterCrop define it.
/// </summary>
internal sealed class ResizedCentre : IViewer
{
    private readonly int _resized;

    /// <param name="side">Height and width of the middle.</param>
    /// <param name="resized">What the shorter side is resized to.</param>
    public ResizedCentre(int side, int resized)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resized, side);
        Side = side;
        _resized = resized;
    }

    public int Side { get; }

    public View Of(int width, int height, SplitMix random) => new(Middle(width, height), Middle(height, width));

    // torchvision cuts the longer side's fraction off, and rounds halves of the margin to the even number.
    private Axis Middle(int length, int other)
    {
        var size = length <= other ? _resized : (int)((double)_resized * length / other);
        return new Axis(0, length, size, Skip: (int)Math.Round((size - Side) / 2.0, MidpointRounding.ToEven));
    }
}
