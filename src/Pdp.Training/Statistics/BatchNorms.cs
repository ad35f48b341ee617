using Pdp.Training.Statistics;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>Re-estimates the running statistics of batch norms, as pruning, averaging or rounding weights makes them stale.</summary>
/// <remarks>
/// Each batch norm gets the mean and the unbiased variance of everything that it reads in all the batches, pooled in float64, rather than
/// an exponential average of the batches. While they are estimated, batch norms normalize each batch by its own mean and variance, as in
/// training; all other modules are in evaluation mode, so that dropout drops nothing. In a model in training mode, batch norms that are in
/// evaluation mode are frozen: they keep their statistics and normalize by them. In a model in evaluation mode all are estimated.
/// </remarks>
public static class BatchNorms
{
    /// <summary>Estimates the statistics from batches of inputs.</summary>
    /// <param name="model">The model; its weights, momenta and training flags stay as they are.</param>
    /// <param name="batches">
    /// The inputs, as the model takes them; the caller keeps them. Some tens of batches of a usual size suffice.
    /// </param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no batch, or no batch norm that keeps statistics and is not frozen.</exception>
    /// <exception cref="InvalidOperationException">
    /// A batch norm read nothing, one value for each channel, or NaN or infinity; the message names the batch.
    /// </exception>
    /// <remarks>If it throws, or a batch or the model does, the model is as before.</remarks>
    public static void Reestimate(nn.Module<Tensor, Tensor> model, IEnumerable<Tensor> batches) =>
        Reestimate(model, batches, batch => model.call(batch));

    /// <summary>Estimates the statistics of a model that takes something other than one tensor.</summary>
    /// <typeparam name="TBatch">What <paramref name="forward"/> takes.</typeparam>
    /// <param name="model">The model; its weights, momenta and training flags stay as they are.</param>
    /// <param name="batches">The batches; the caller keeps them.</param>
    /// <param name="forward">
    /// Calls the model with a batch, without gradients and within a dispose scope. A batch norm must be reached by its <c>call</c>, not by
    /// its <c>forward</c>, which bypasses the hooks.
    /// </param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no batch, or no batch norm that keeps statistics and is not frozen.</exception>
    /// <exception cref="InvalidOperationException">
    /// A batch norm read nothing, one value for each channel, or NaN or infinity; the message names the batch.
    /// </exception>
    /// <remarks>If it throws, or a batch or the model does, the model is as before.</remarks>
    public static void Reestimate<TBatch>(nn.Module model, IEnumerable<TBatch> batches, Action<TBatch> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(forward);
        using var estimate = new NormEstimate(model);
        var count = 0;
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            forward(batch);
            estimate.RequireFinite(++count);
        }

        estimate.Accept(count > 0 ? count : throw new ArgumentException("There is no batch to estimate statistics from.", nameof(batches)));
    }
}
