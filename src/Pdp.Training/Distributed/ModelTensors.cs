using System.Globalization;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>The parameters and buffers of a model, which the ranks must have in common.</summary>
internal static class ModelTensors
{
    /// <summary>All of them by name, in the order of registration; tied ones under each of their names.</summary>
    public static (string Name, Tensor Tensor)[] Of(nn.Module model) =>
        [.. model.state_dict().Select(entry => (entry.Key, entry.Value)), .. ModelBuffers.Unsaved(model)];

    /// <summary>Checks that all parameters can be averaged, and that all tensors can be written to.</summary>
    /// <exception cref="ArgumentException">One can't.</exception>
    public static void RequireFit(nn.Module model)
    {
        foreach (var (name, tensor) in Of(model))
        {
            var obstacle = tensor is Parameter && tensor.is_complex()
                ? "is complex, and only real gradients can be averaged: keep its real and imaginary parts as two parameters."
                : HostMemory.ObstacleOf(tensor);
            if (obstacle is not null)
            {
                throw new ArgumentException($"'{name}' of the model {obstacle}", nameof(model));
            }
        }
    }

    /// <summary>Checks that the ranks have the same names, types, shapes and ties, in the same order.</summary>
    /// <exception cref="InvalidDataException">They don't.</exception>
    public static void RequireSame(ICollective collective, (string Name, Tensor Tensor)[] tensors)
    {
        var firsts = new Dictionary<nint, string>();
        Agreement.Require(collective, tensors.ToDictionary(entry => entry.Name, entry => Describe(entry.Name, entry.Tensor, firsts)));
        Agreement.Require(collective, tensors.Index().ToDictionary(
            entry => string.Create(CultureInfo.InvariantCulture, $"the order of the model's tensors, number {entry.Index}"),
            entry => entry.Item.Name));
    }

    private static string Describe(string name, Tensor tensor, Dictionary<nint, string> firsts)
    {
        var kind = tensor is not Parameter ? "buffer" : tensor.requires_grad ? "parameter" : "frozen parameter";
        var tie = firsts.TryAdd(TensorAddress.OfNative(tensor), name) ? "" : $", tied to {firsts[TensorAddress.OfNative(tensor)]}";
        return $"{kind} {tensor.dtype} [{string.Join(", ", tensor.shape)}]{tie}";
    }
}
