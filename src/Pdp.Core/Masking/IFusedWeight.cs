using Pdp.Numerics.Kernels;

namespace Pdp.Masking;

/// <summary>What stands under one mask, where kernels take it in and out of a scope, piece by piece; pieces may run at the same time.</summary>
internal interface IFusedWeight
{
    /// <summary>What it is, for messages.</summary>
    string Subject { get; }

    /// <summary>The number of weights that make the scores.</summary>
    long Elements { get; }

    /// <summary>The pieces of each pass.</summary>
    int Pieces { get; }

    /// <summary>Whether the kernels take it through the scope that is open or about to be.</summary>
    bool IsClaimed { get; }

    /// <summary>Whether ŵ is in the place of w.</summary>
    bool IsInside { get; }

    /// <summary>Takes the scores of a piece, where a score is made of many weights.</summary>
    void Measure(int piece);

    /// <summary>Finds what the mask hangs on, after all measures; false if a weight is not finite.</summary>
    bool Prepare(RankSearch search);

    /// <summary>Keeps w and puts ŵ in its place.</summary>
    void Enter(int piece);

    /// <summary>Sets the gradient aside, after all pieces.</summary>
    void Entered();

    /// <summary>Looks what became of the weight in the scope, before all pieces.</summary>
    void BeginLeave();

    /// <summary>Puts w back and corrects the gradient.</summary>
    void Leave(int piece);

    /// <summary>Puts the gradient that was set aside back, after all pieces.</summary>
    void Left();
}
