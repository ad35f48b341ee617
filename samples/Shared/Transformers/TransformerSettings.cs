namespace Pdp.Samples.Transformers;

/// <summary>The settings that the training of all transformers has. Each sample's settings define them.</summary>
internal abstract record TransformerSettings : PruningSettings
{
    public abstract string Method { get; init; }

    public abstract double StrStart { get; init; }

    public abstract double StrDecay { get; init; }

    public abstract int TestEvery { get; init; }

    public abstract double Lr { get; init; }

    public abstract double Warmup { get; init; }

    public abstract double WeightDecay { get; init; }

    public abstract double Clip { get; init; }

    public abstract int Seed { get; init; }

    public abstract string? Out { get; init; }

    public abstract bool Resume { get; init; }

    /// <summary>Whether a teacher's answers are part of the loss.</summary>
    public virtual bool IsTaught => false;

    /// <summary>The settings that decide a run's numbers; a checkpoint is continued only under the same ones.</summary>
    public abstract string Fingerprint();
}
