using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A network of random blocks: a stem, blocks one behind the other, and heads.</summary>
internal sealed class RandomNet
{
    private static readonly Scalar Pixels = 64.0;

    private readonly Random _random;
    private readonly List<(string Name, Module Layer)> _layers = [];
    private readonly List<(string Words, Func<Net, Tensor, Tensor> Pass)> _blocks = [];

    private RandomNet(int seed) => _random = new(seed);

    /// <summary>The channels behind the blocks so far.</summary>
    public int Channels { get; set; } = 3;

    /// <summary>A network that a seed draws, and what it is made of.</summary>
    public static (ZooCase Zoo, string Words) Of(int seed)
    {
        var words = "";
        Net Build()
        {
            var net = new RandomNet(seed);
            net.Compose();
            words = string.Join(" → ", net._blocks.Select(block => block.Words));
            return new(net._layers, (model, x) => net._blocks.Aggregate(x, (all, block) => block.Pass(model, all)));
        }

        Build().Dispose();
        return (new($"Random{seed}", Build, 3, 8, 8) { OtherSizes = [[3, 8, 12]] }, words);
    }

    /// <summary>A whole number in [0, below).</summary>
    public int Next(int below) => _random.Next(below);

    /// <summary>One of several things.</summary>
    public T Pick<T>(params ReadOnlySpan<T> options) => options[_random.Next(options.Length)];

    /// <summary>A number of channels, of which each of up to three heads or groups gets as many.</summary>
    public int Width() => Pick(4, 6, 8, 12);

    /// <summary>Registers a layer under a name of its own.</summary>
    public T Layer<T>(T layer)
        where T : Module
    {
        _layers.Add(($"{layer.GetName().ToLowerInvariant()}{_layers.Count}", layer));
        return layer;
    }

    public TorchSharp.Modules.Conv2d Conv(int inputs, int outputs, int kernel = 3, int groups = 1) =>
        Layer(Conv2d(inputs, outputs, kernel, padding: kernel / 2, groups: groups, bias: _random.Next(2) == 0));

    public void Add(string words, Func<Tensor, Tensor> pass) => _blocks.Add((words, (_, x) => pass(x)));

    public void Add(string words, Func<Net, Tensor, Tensor> pass) => _blocks.Add((words, pass));

    private void Compose()
    {
        RandomBlocks.Convolution(this);
        // Passes take longer with each block, and there are more of them: large networks are rarer.
        for (var blocks = 1 + Math.Min(_random.Next(5), _random.Next(5)); blocks > 0; blocks--)
            RandomBlocks.All[_random.Next(RandomBlocks.All.Count)](this);
        if (_random.Next(3) == 0)
            RandomBlocks.Convolution(this);
        Heads();
    }

    /// <summary>One head or two of different scales, on the mean of the pixels or on each of them.</summary>
    private void Heads()
    {
        var (channels, isPixels) = (Channels, _random.Next(4) == 0);
        var hidden = _random.Next(2) == 0 ? Layer(Linear(channels, 10)) : null;
        var (classes, boxes) = (
            Layer(Linear(hidden is null ? channels : 10, 4)),
            _random.Next(3) == 0 ? Layer(Linear(hidden is null ? channels : 10, 3)) : null);
        Add($"heads({(isPixels ? "pixels" : "mean")}{(hidden is null ? "" : ", hidden")}{(boxes is null ? "" : ", boxes")})", x =>
        {
            x = isPixels ? x.movedim([1], [-1]) : x.mean([2, 3]);
            x = hidden is null ? x : functional.relu(hidden.call(x));
            var output = classes.call(x);
            output = boxes is null ? output : cat([output, boxes.call(x).mul(Pixels)], -1);
            return isPixels ? output.movedim([-1], [1]) : output;
        });
    }
}
