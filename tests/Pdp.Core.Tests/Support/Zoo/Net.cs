using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>
/// A network of named layers and a pass over them, as in <c>new Net(new { conv, fc }, x => fc.call(conv.call(x).mean([2, 3])))</c>.
/// </summary>
internal sealed class Net : ZooNet
{
    private readonly Func<Net, Tensor, Tensor> _pass;

    /// <param name="layers">An object whose properties are the layers.</param>
    /// <param name="pass">The pass.</param>
    public Net(object layers, Func<Tensor, Tensor> pass)
        : this(layers, (_, input) => pass(input))
    {
    }

    /// <param name="layers">An object whose properties are the layers.</param>
    /// <param name="pass">The pass, which may ask whether the network is training.</param>
    public Net(object layers, Func<Net, Tensor, Tensor> pass)
        : this([.. layers.GetType().GetProperties().Select(property => (property.Name, (Module)property.GetValue(layers)!))], pass)
    {
    }

    /// <param name="layers">The layers.</param>
    /// <param name="pass">The pass, which may ask whether the network is training.</param>
    public Net(IReadOnlyList<(string Name, Module Layer)> layers, Func<Net, Tensor, Tensor> pass)
        : base(nameof(Net))
    {
        _pass = pass;
        foreach (var (name, layer) in layers)
            register_module(name, layer);
    }

    protected override Tensor Pass(Tensor input) => _pass(this, input);
}
