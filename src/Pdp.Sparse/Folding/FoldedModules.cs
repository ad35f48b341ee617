using Pdp.Sparse.Hooks;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Folding;

/// <summary>Hooks on modules whose work some layer does; disposal removes them.</summary>
internal sealed class FoldedModules : IDisposable
{
    private const string Changed = "changed since it was folded: call Unpack() first, and pack afterwards.";

    private readonly List<LayerHooks> _hooks = [];
    private readonly List<Tensor> _stubs = [];
    private readonly ModelHooks? _calls;

    /// <summary>Puts hooks on modules, once on each.</summary>
    /// <param name="modules">The modules.</param>
    /// <param name="model">The model whose calls are checked to reach all of them; null, the default, checks nothing.</param>
    public FoldedModules(IEnumerable<FoldedModule> modules, Module? model = null)
    {
        using var normal = inference_mode(false);
        foreach (var module in modules.DistinctBy(module => module.Module))
            Add(module);
        if (model is not null && _hooks.Count > 0)
            _calls = new(model, () => FoldedCalls.Begin(this), _ => FoldedCalls.End(this));
    }

    public void Dispose()
    {
        _calls?.Dispose();
        foreach (var hooks in _hooks)
            hooks.Dispose();
        foreach (var stub in _stubs)
            stub.Dispose();
        _hooks.Clear();
        _stubs.Clear();
    }

    private void Add(FoldedModule module)
    {
        var stub = zeros(ShapeFor(module.Module), ScalarType.Float32, CPU).DetachFromDisposeScope();
        _stubs.Add(stub);
        var constants = module.Module is BatchNorm norm ? Constants(norm) : [];
        var setting = SettingOf(module.Module);
        LayerHooks? own = null;
        own = new(module.Module, stub, input =>
        {
            if (FoldedCalls.TryPass(module, input) is not { } passed)
                return null;
            Require(module, own!, constants);
            if (SettingOf(module.Module) != setting)
                throw new InvalidOperationException($"A setting of '{module.Name}' {Changed}");
            return passed;
        });
        _hooks.Add(own);

        WatchedValue[] Constants(BatchNorm watched) =>
        [
            new($"{module.Name}.weight", () => watched.weight), new($"{module.Name}.bias", () => watched.bias),
            new($"{module.Name}.running_mean", () => watched.running_mean), new($"{module.Name}.running_var", () => watched.running_var),
        ];
    }

    // What a module computes with besides its tensors.
    private static double SettingOf(Module module) =>
        module is BatchNorm norm ? norm.eps : (double)(LayerFold.ActivationOf(module) ?? Kernels.Activation.None);

    private static void Require(FoldedModule module, LayerHooks own, WatchedValue[] constants)
    {
        foreach (var constant in constants)
            constant.Require();
        if (module.Module is BatchNorm { training: true })
        {
            throw new InvalidOperationException(
                $"'{module.Name}' is folded and can't be trained: call Unpack() first, or model.eval().");
        }

        if (own.AreShared)
        {
            throw new InvalidOperationException(
                $"'{module.Name}' is folded and got a hook, which would not see its tensors: call Unpack() first, and pack afterwards "
                + "(modules with hooks are not folded).");
        }
    }

    // A stub of [0, channels, …] for a norm, and no numbers at all for an activation.
    private static long[] ShapeFor(Module module) => module switch
    {
        TorchSharp.Modules.BatchNorm2d norm => [0, norm.num_features, 1, 1],
        TorchSharp.Modules.BatchNorm3d norm => [0, norm.num_features, 1, 1, 1],
        BatchNorm norm => [0, norm.num_features],
        _ => [0],
    };
}
