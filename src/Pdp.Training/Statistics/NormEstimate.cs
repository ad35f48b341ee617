using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Statistics;

/// <summary>
/// Watches the batch norms of a model until it is disposed, which restores all training flags, and the old statistics unless the new
/// ones were accepted.
/// </summary>
internal sealed class NormEstimate : IDisposable
{
    /// <summary>All modules with their flags, each before what it contains, since a flag is passed on.</summary>
    private readonly (nn.Module Module, bool IsTraining)[] _modules;
    private readonly PooledNorm[] _norms;
    private bool _isAccepted;

    /// <exception cref="ArgumentException">No batch norm keeps statistics, or all that do are frozen.</exception>
    public NormEstimate(nn.Module model)
    {
        (string Name, nn.Module Module)[] all = [("", model), .. model.named_modules().Select(entry => (entry.name, entry.module))];
        _modules = [.. all.Select(entry => (entry.Module, entry.Module.training))];
        var norms = all.DistinctBy(entry => entry.Module)
            .Where(entry => entry.Module is BatchNorm { running_mean: not null, running_var: not null })
            .ToLookup(entry => model.training && !entry.Module.training);
        if (!norms[false].Any())
        {
            throw new ArgumentException(
                norms[true].FirstOrDefault() is { Name: { } name }
                    ? $"All batch norms are frozen, such as '{name}': they are in evaluation mode, and the model in training mode."
                    : "The model has no batch norm that keeps running statistics.",
                nameof(model));
        }

        _norms = [.. norms[false].Select(entry => new PooledNorm(entry.Name, (BatchNorm)entry.Module))];
        model.eval();
    }

    /// <summary>Checks what the batch norms have read so far; waits for the device.</summary>
    /// <param name="batch">The number of the last batch, from 1.</param>
    /// <exception cref="InvalidOperationException">One has read NaN or infinity.</exception>
    public void RequireFinite(long batch)
    {
        if (Array.Find(_norms, norm => !norm.IsFinite()) is { } wrong)
        {
            throw new InvalidOperationException(
                $"The batch norm '{wrong.Name}' read NaN, infinity or numbers too large in batch {batch}: "
                + "the batch or the weights before it are not finite.");
        }
    }

    /// <summary>Gives each batch norm its new statistics.</summary>
    /// <param name="batches">The number of batches.</param>
    /// <exception cref="InvalidOperationException">One has read too little.</exception>
    public void Accept(long batches)
    {
        foreach (var norm in _norms)
        {
            norm.RequireEnough();
        }

        foreach (var norm in _norms)
        {
            norm.Accept(batches);
        }

        _isAccepted = true;
    }

    public void Dispose()
    {
        foreach (var norm in _norms)
        {
            if (!_isAccepted)
            {
                norm.Restore();
            }

            norm.Dispose();
        }

        foreach (var (module, isTraining) in _modules)
        {
            module.train(isTraining);
        }
    }
}
