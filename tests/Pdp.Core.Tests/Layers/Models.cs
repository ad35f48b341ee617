using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Layers;

/// <summary>Models to select from; built outside of dispose scopes, as native-backed modules lose their parameters otherwise.</summary>
internal static class Models
{
    public static Module Convolutional() => Sequential(
        ("conv1", Conv2d(3, 8, 3)),
        ("bn1", BatchNorm2d(8)),
        ("layer1", Sequential(("conv1", Conv2d(8, 8, 3)), ("bn1", BatchNorm2d(8)))),
        ("layer2", Sequential(("conv1", Conv2d(8, 16, 3)), ("down", Conv2d(8, 16, 1)))),
        ("fc", Linear(16, 10)));

    /// <summary>Embeddings, a norm over two dimensions, and a head.</summary>
    public static Module Language() => new Tree(
        ("tokens", Embedding(20, 8)),
        ("bag", EmbeddingBag(20, 8)),
        ("norm", LayerNorm([4, 8])),
        ("hidden", Linear(8, 8)),
        ("head", Linear(8, 20)));

    /// <summary>A module with parameters of its own, some of them the same.</summary>
    internal sealed class Custom : Module
    {
        public Custom(params (string Name, Parameter Parameter)[] parameters)
            : base(nameof(Custom))
        {
            foreach (var (name, parameter) in parameters)
                register_parameter(name, parameter);
        }
    }

    /// <summary>What a vision transformer has around its layers.</summary>
    internal sealed class Vision : Module
    {
        public Vision()
            : base(nameof(Vision))
        {
            register_parameter("classToken", new Parameter(zeros([1, 1, 8])));
            register_parameter("positions", new Parameter(zeros([1, 5, 8])));
            register_parameter("scale", new Parameter(ones([8, 1])));
            register_module("patches", Conv2d(3, 8, 4));
            register_module("head", Linear(8, 4));
        }
    }

    /// <summary>Modules of any kind side by side.</summary>
    internal sealed class Tree : Module
    {
        public Tree(params (string Name, Module Child)[] children)
            : base(nameof(Tree))
        {
            foreach (var (name, child) in children)
                register_module(name, child);
        }
    }

    /// <summary>Two linear layers, the second with the weight of the first.</summary>
    internal sealed class Tied : Module
    {
        private readonly Linear _first = Linear(6, 6, hasBias: false);
        private readonly Linear _second = Linear(6, 6, hasBias: false);
        private readonly Linear _third = Linear(6, 4, hasBias: false);

        public Tied(bool sameObject)
            : base(nameof(Tied))
        {
            _second.weight = sameObject ? _first.weight : new Parameter(_first.weight!.detach());
            RegisterComponents();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _first.Dispose();
                _second.Dispose();
                _third.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
