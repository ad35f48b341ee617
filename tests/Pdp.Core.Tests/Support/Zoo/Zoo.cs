using Pdp.Samples.Models;

namespace Pdp.Tests.Support;

/// <summary>Networks for what finds, prunes and removes channels.</summary>
internal static class Zoo
{
    private static readonly long[] Picture = [3, 16, 16];

    /// <summary>Small networks whose inner channels can be removed.</summary>
    public static IReadOnlyList<ZooModel> All { get; } =
    [
        new(nameof(PlainCnn), () => new PlainCnn(), Picture),
        new(nameof(VggLike), () => new VggLike(), Picture),
        new(nameof(PaddedResNet), () => new PaddedResNet(), Picture),
        new(nameof(ProjectedResNet), () => new ProjectedResNet(), Picture),
        new(nameof(BottleneckNet), () => new BottleneckNet(), Picture),
        new(nameof(SeparableNet), () => new SeparableNet(), Picture),
        new(nameof(InvertedNet), () => new InvertedNet(), Picture),
        new(nameof(DenseBlockNet), () => new DenseBlockNet(), Picture),
        new(nameof(Mlp), () => new Mlp(), [14]),
        new(nameof(UNet), () => new UNet(), Picture),
        new(nameof(GroupedNet), () => new GroupedNet(), Picture),
        new(nameof(SqueezeExcitationNet), () => new SqueezeExcitationNet(), Picture),
        new(nameof(AutoEncoder), () => new AutoEncoder(), Picture),
        new(nameof(SequenceNet), () => new SequenceNet(), [2, 24]),
        new(nameof(VolumeNet), () => new VolumeNet(), [2, 6, 6, 6]),
        new(nameof(PReLUNet), () => new PReLUNet(), Picture),
    ];

    /// <summary>Networks for ImageNet, on pictures as small as they take.</summary>
    public static IReadOnlyList<ZooModel> Large { get; } =
    [
        new(nameof(ResNet.ResNet18), () => ResNet.ResNet18(), [3, 64, 64]),
        new(nameof(ResNet.ResNet50), () => ResNet.ResNet50(), [3, 64, 64]),
        new(nameof(MobileNetV1), () => new MobileNetV1(), [3, 64, 64]),
        new(nameof(MobileNetV2), () => new MobileNetV2(), [3, 64, 64]),
    ];

    /// <summary>Networks of which some layers must stay whole: a removed channel is not the same as a zero one.</summary>
    public static IReadOnlyList<ZooModel> Unsupported { get; } =
    [
        new(nameof(ChannelShuffleNet), () => new ChannelShuffleNet(), Picture, "conv1.weight"),
        new(nameof(LayerNormNet), () => new LayerNormNet(), [14], "linear1.weight"),
        new(nameof(RmsNormNet), () => new RmsNormNet(), Picture, "conv1.weight"),
        new(nameof(ChannelSoftmaxNet), () => new ChannelSoftmaxNet(), Picture, "conv1.weight"),
        new(nameof(SpatialAttentionNet), () => new SpatialAttentionNet(), Picture, "conv1.weight"),
        new(nameof(SigmoidNet), () => new SigmoidNet(), Picture, "conv1.weight"),
    ];

    /// <summary>Networks of which some layers can be shrunk exactly by whoever understands them, and may be refused otherwise.</summary>
    public static IReadOnlyList<ZooModel> Either { get; } =
    [
        new(nameof(GroupNormNet), () => new GroupNormNet(), Picture, "conv1.weight"),
        new(nameof(UnitNormNet), () => new UnitNormNet(), Picture, "conv1.weight"),
        new(nameof(GatedNet), () => new GatedNet(), Picture, "conv1.weight"),
        new(nameof(PixelShuffleNet), () => new PixelShuffleNet(), Picture, "conv1.weight"),
        new(nameof(RecurrentNet), () => new RecurrentNet(), Picture, "conv1.weight", "twice.weight"),
        new(nameof(ScaledNet), () => new ScaledNet(), Picture, "conv1.weight"),
    ];

    /// <summary>Every small network, as data for theories.</summary>
    public static TheoryData<string> Names => [.. All.Concat(Unsupported).Concat(Either).Select(model => model.Name)];

    /// <summary>The network of a name, of whatever kind.</summary>
    public static ZooModel Get(string name) => All.Concat(Large).Concat(Unsupported).Concat(Either).Single(model => model.Name == name);
}
