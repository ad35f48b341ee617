using System.Runtime.CompilerServices;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Internal;

/// <summary>The buffers of a model, including those that files don't hold.</summary>
internal static class ModelBuffers
{
    /// <summary>All of them by name, those that files hold first; of the others not those that nothing can write to.</summary>
    public static IEnumerable<(string Name, Tensor Buffer)> Of(Module model) =>
        [.. model.named_buffers(), .. Unsaved(model).Where(entry => !entry.Buffer.is_sparse && !ExpandedView.Is(entry.Buffer))];

    /// <summary>Those that were registered with <c>persistent: false</c>.</summary>
    /// <remarks>TorchSharp 0.107 never lists them, whatever <c>named_buffers</c> is asked for.</remarks>
    public static IEnumerable<(string Name, Tensor Buffer)> Unsaved(Module model)
    {
        foreach (var (path, module) in model.named_modules().Prepend(("", model)))
        {
            foreach (var (name, (buffer, isPersistent)) in Registered(module))
            {
                if (!isPersistent && buffer is { IsInvalid: false })
                    yield return (path.Length == 0 ? name : $"{path}.{name}", buffer);
            }
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_buffers")]
    private static extern ref OrderedDict<string, (Tensor Buffer, bool IsPersistent)> Registered(Module module);
}
