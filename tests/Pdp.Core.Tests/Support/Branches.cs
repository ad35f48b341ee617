using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Two linear layers for inputs of two kinds.</summary>
internal sealed class Branches : Module
{
    private readonly TorchSharp.Modules.Linear _first = Linear(16, 8);
    private readonly TorchSharp.Modules.Linear _second = Linear(16, 8);

    public Branches()
        : base("branches")
    {
        register_module("first", _first);
        register_module("second", _second);
    }

    public TorchSharp.Modules.Linear Branch(bool isSecond) => isSecond ? _second : _first;
}
