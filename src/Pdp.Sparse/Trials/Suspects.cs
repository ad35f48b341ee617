namespace Pdp.Sparse.Trials;

/// <summary>Finds the layers that change a model's output in another form.</summary>
internal static class Suspects
{
    /// <summary>Gives layers another form, unless the output differs with it.</summary>
    /// <param name="example">The example.</param>
    /// <param name="layers">The layers.</param>
    /// <param name="form">The form.</param>
    /// <returns>The layers that stay in the form that they had.</returns>
    public static IReadOnlyList<TrialLayer> Use(Example example, IReadOnlyList<TrialLayer> layers, Func<TrialLayer, LayerForm> form)
    {
        LayerForm[] before = [.. layers.Select(layer => layer.Form)];
        if (layers.Count == 0 || TryAll([.. Enumerable.Range(0, layers.Count)]))
            return [];

        int[] innocent = [.. Enumerable.Range(0, layers.Count).Where(i => TryAll([i], keep: false))];
        if (!TryAll(innocent))
            return layers;
        return [.. layers.Where((_, i) => !innocent.Contains(i))];

        bool TryAll(int[] some, bool keep = true)
        {
            foreach (var i in some)
                layers[i].Form = form(layers[i]);
            var isSame = example.IsSame();
            foreach (var i in isSame && keep ? [] : some)
                layers[i].Form = before[i];
            return isSame;
        }
    }
}
