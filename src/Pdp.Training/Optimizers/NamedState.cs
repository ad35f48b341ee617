using static TorchSharp.torch;

namespace Pdp.Training.Optimizers;

/// <summary>An optimizer's state as named tensors: copied for a checkpoint, checked, loaded and masked.</summary>
/// <param name="groups">The optimizer's groups, whose learning rates are part of the state.</param>
/// <param name="slots">Its parameters. They own the state.</param>
/// <param name="names">The names of the tensors that the optimizer keeps for each parameter.</param>
internal sealed class NamedState(IReadOnlyList<ParameterGroup> groups, IReadOnlyList<Slot> slots, IReadOnlyList<string> names)
{
    /// <summary>Copies the state.</summary>
    public Dictionary<string, Tensor> Copy()
    {
        using var noGrad = no_grad();
        var state = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            [StateKeys.LearningRate] = tensor(groups.Select(group => group.LearningRate).ToArray(), device: CPU),
            [StateKeys.InitialLearningRate] = tensor(groups.Select(group => group.InitialLearningRate).ToArray(), device: CPU),
        };
        foreach (var slot in slots.Where(slot => slot.Steps > 0))
        {
            state.Add(StateKeys.Step(slot.Name), tensor(slot.Steps, ScalarType.Int64, CPU));
            for (var i = 0; i < slot.State.Length; i++)
            {
                state.Add(StateKeys.Of(slot.Name, names[i]), slot.State[i].clone());
            }
        }

        return state;
    }

    /// <summary>Checks that a state fits.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public void Check(IReadOnlyDictionary<string, Tensor> state)
    {
        using var scope = NewDisposeScope();
        Read(state);
    }

    /// <summary>Copies a state into the slots and the groups.</summary>
    /// <exception cref="ArgumentException">The state does not fit; nothing has changed then.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state)
    {
        using var scope = NewDisposeScope();
        var (parts, rates, initialRates) = Read(state);
        for (var i = 0; i < slots.Count; i++)
        {
            slots[i].Replace([.. parts[i].Copies.Select(copy => copy.DetachFromDisposeScope())], parts[i].Steps);
        }

        for (var i = 0; i < groups.Count; i++)
        {
            (groups[i].LearningRate, groups[i].InitialLearningRate) = (rates[i], initialRates[i]);
        }
    }

    /// <summary>Multiplies the tensors of each parameter by its mask.</summary>
    /// <exception cref="ArgumentException">A mask belongs to no parameter or has another shape; nothing has changed then.</exception>
    public void Mask(IReadOnlyDictionary<string, Tensor> masks)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var byName = slots.ToDictionary(slot => slot.Name, StringComparer.Ordinal);
        foreach (var (name, mask) in masks)
        {
            StateReader.RequireShape(byName.GetValueOrDefault(name) ?? throw StateReader.Unknown(name, byName.Keys), name, mask);
        }

        foreach (var (name, mask) in masks)
        {
            foreach (var part in byName[name].State)
            {
                part.mul_(mask.to(part.dtype, part.device));
            }
        }
    }

    private ((long Steps, Tensor[] Copies)[] Parts, double[] Rates, double[] InitialRates) Read(IReadOnlyDictionary<string, Tensor> state)
    {
        using var noGrad = no_grad();
        var reader = new StateReader(state, names);
        var rates = reader.Rates(StateKeys.LearningRate, groups.Count);
        var initialRates = reader.Rates(StateKeys.InitialLearningRate, groups.Count);
        var parts = slots.Select(slot => reader.Steps(slot) is var steps ? (steps, reader.Copies(slot, steps)) : default).ToArray();
        reader.RequireAllRead();
        return (parts, rates, initialRates);
    }
}
