namespace Pdp.Samples.ImageNet.Data;

/// <summary>Decides what the network sees of each picture.</summary>
internal interface IViewer
{
    /// <summary>Height and width of what is seen.</summary>
    int Side { get; }

    /// <summary>What is seen of a picture of this size.</summary>
    View Of(int width, int height, SplitMix random);
}
