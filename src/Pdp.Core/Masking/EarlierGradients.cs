using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The gradients that parameters have before a scope, set aside so that only those that arrive inside are corrected.</summary>
/// <remarks>Owns them until they are put back.</remarks>
internal sealed class EarlierGradients(Parameter[] parameters) : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Tensor?[] _gradients = new Tensor?[parameters.Length];

    /// <summary>Whether all that were set aside are zero or absent; waits for the device if there are any.</summary>
    public bool AreZero() => _gradients.All(gradient => gradient is null || !gradient.to_dense().any().cpu().ReadCpuBool(0));

    public void SetAside()
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            _gradients[i] = parameters[i].grad?.DetachFromDisposeScope();
            if (_gradients[i] is not null)
                parameters[i].grad = null;
        }
    }

    /// <summary>Takes over gradients that a <see cref="MemoryScope"/> has set aside, one for each parameter.</summary>
    public void Take(Tensor?[] gradients)
    {
        for (var i = 0; i < gradients.Length; i++)
            _gradients[i] = gradients[i]?.DetachFromDisposeScope();
    }

    /// <summary>Puts them back, with the gradients that have arrived, which are dense, added to them.</summary>
    public void PutBack()
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            if (_gradients[i] is null)
                continue;

            using var arrived = parameters[i].grad;
            parameters[i].grad = _gradients[i];
            if (arrived is not null)
            {
                using var whole = DenseGradient.Of(parameters[i]);
                whole!.add_(arrived, One);
            }
        }

        Dispose();
    }

    /// <summary>Puts them back in place of those that have arrived, which could not be corrected.</summary>
    public void Rescue()
    {
        for (var i = 0; i < parameters.Length; i++)
            parameters[i].grad = _gradients[i];
        Dispose();
    }

    public void Dispose()
    {
        foreach (var gradient in _gradients)
            gradient?.Dispose();
        _gradients.AsSpan().Clear();
    }
}
