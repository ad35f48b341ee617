namespace Pdp.Tests.Support;

/// <summary>The truth about the networks that other tests use too.</summary>
internal static class KnownNets
{
    private const string Mixed = "mix|norm|changes|order|silen|zero|run";

    private static readonly long[][] Pictures = [[3, 8, 12], [3, 20, 16]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Of(nameof(PlainCnn)) with { Groups = ["conv1", "conv2", "linear1"], Unsupported = ["linear2: model"] },
        Of(nameof(VggLike)) with
        {
            Groups = ["features.0", "features.3", "features.7", "classifier.0"],
            Unsupported = ["classifier.3: model"],
        },
        Of(nameof(PaddedResNet)) with
        {
            // Where the shortcut puts the channels depends on how many there are.
            Groups = ["layer1.0.conv1", "layer1.1.conv1", "layer2.0.conv1", "layer2.1.conv1"],
            Unsupported = ["conv1: ", "layer1.0.conv2: ", "layer1.1.conv2: ", "layer2.0.conv2: ", "layer2.1.conv2: ", "linear: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(ProjectedResNet)) with
        {
            Groups = [
                "conv1 layer1.0.conv2", "layer1.0.conv1", "layer2.0.conv1", "layer2.0.conv2 layer2.0.downsample.0 layer2.1.conv2",
                "layer2.1.conv1",
            ],
            Unsupported = ["fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(BottleneckNet)) with
        {
            Groups =
            [
                "conv1", "layer1.0.conv1", "layer1.0.conv2", "layer1.0.conv3 layer1.0.downsample.0 "
                    + "layer1.1.conv3", "layer1.1.conv1", "layer1.1.conv2",
                "layer2.0.conv1", "layer2.0.conv2", "layer2.0.conv3 layer2.0.downsample.0",
            ],
            Unsupported = ["fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(SeparableNet)) with
        {
            Groups = ["features.0.0 features.1.0", "features.2.0 features.3.0", "features.4.0"],
            Unsupported = ["fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(InvertedNet)) with
        {
            Groups =
            [
                "features.0.0 features.1.conv.0.0", "features.1.conv.1", "features.2.conv.0.0 features.2.conv.1.0",
                "features.2.conv.2 features.3.conv.2", "features.3.conv.0.0 features.3.conv.1.0", "features.4.0",
            ],
            Unsupported = ["classifier.1: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(DenseBlockNet)) with
        {
            Groups = ["conv1", "layer1.conv", "layer2.conv", "conv2"],
            Unsupported = ["fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(Mlp)) with { Groups = ["linear1", "linear2"], Unsupported = ["linear3: model"] },
        Of(nameof(UNet)) with
        {
            Groups = ["down1", "down2", "middle", "up2", "merge2", "merge1"],
            Unsupported = ["head: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(GroupedNet)) with { Groups = ["conv1 widen", "narrow grouped"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(SqueezeExcitationNet)) with
        {
            Groups = ["conv1 (excite)", "squeeze", "conv2"],
            Unsupported = ["fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(AutoEncoder)) with
        {
            Groups = ["encode1", "encode2", "decode2 refine"],
            Unsupported = ["decode1: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(SequenceNet)) with { Groups = ["conv1", "up", "conv2"], Unsupported = ["fc: model"], OtherSizes = [[2, 9], [2, 40]] },
        Of(nameof(VolumeNet)) with { Groups = ["conv1 depthwise", "up"], Unsupported = ["fc: model"], OtherSizes = [[2, 4, 6, 5]] },
        Of(nameof(PReLUNet)) with { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(ChannelShuffleNet)) with
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: ", "grouped: ", "fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(GroupNormNet)) with { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(LayerNormNet)) with { Groups = ["linear2"], Unsupported = [$"linear1: {Mixed}", "linear3: model"] },
        Of(nameof(RmsNormNet)) with { Groups = ["conv2"], Unsupported = [$"conv1: {Mixed}", "fc: model"], OtherSizes = Pictures },
        Of(nameof(ChannelSoftmaxNet)) with { Groups = ["conv2"], Unsupported = [$"conv1: {Mixed}", "fc: model"], OtherSizes = Pictures },
        Of(nameof(SpatialAttentionNet)) with
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "gate: only", "fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(SigmoidNet)) with
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: zero|constant|silen|changes", "fc: model"],
            OtherSizes = Pictures,
        },
        Of(nameof(UnitNormNet)) with { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(GatedNet)) with { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(PixelShuffleNet)) with { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(RecurrentNet)) with { Groups = ["conv1 twice", "conv2"], Unsupported = ["fc: model"], OtherSizes = Pictures },
        Of(nameof(ScaledNet)) with { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"], OtherSizes = Pictures },
    ];

    private static ZooCase Of(string name) => new(Zoo.Get(name));
}
