namespace Pdp.Sparse.Trials;

/// <summary>Finds the layers that change a model's output if they have another form.</summary>
internal static class Suspects
{
    /// <summary>Gives layers another form, unless the output differs with it.</summary>
    /// <returns>The layers that stay in the form that they had.</returns>
    public static IReadOnlyList<TrialLayer> Use(Example example, IReadOnlyList<TrialLayer> layers, Func<TrialLayer, LayerForm> form)
    {
        var before = layers.ToDictionary(layer => layer, layer => layer.Form);
        return Use(example, layers, layer => layer.Form = form(layer), layer => layer.Form = before[layer]);
    }

    /// <summary>Changes layers, unless the output differs then.</summary>
    /// <param name="example">The example.</param>
    /// <param name="layers">The layers.</param>
    /// <param name="change">Changes one.</param>
    /// <param name="revert">Undoes the change.</param>
    /// <returns>The layers that are not changed.</returns>
    public static IReadOnlyList<TrialLayer> Use(
        Example example, IReadOnlyList<TrialLayer> layers, Action<TrialLayer> change, Action<TrialLayer> revert)
    {
        if (layers.Count == 0 || IsSameWith(layers))
            return [];
        var innocent = layers.Where(IsSameAlone).ToHashSet();
        return IsSameWith(innocent) ? [.. layers.Where(layer => !innocent.Contains(layer))] : layers;

        bool IsSameWith(IReadOnlyCollection<TrialLayer> some)
        {
            foreach (var layer in some)
                change(layer);
            if (example.IsSame())
                return true;
            foreach (var layer in some)
                revert(layer);
            return false;
        }

        bool IsSameAlone(TrialLayer layer)
        {
            if (!IsSameWith([layer]))
                return false;
            revert(layer);
            return true;
        }
    }
}
