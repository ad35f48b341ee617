namespace Pdp.Reporting;

/// <summary>How large a model is.</summary>
/// <param name="Parameters">Its parameters; tied ones once.</param>
/// <param name="Bytes">The bytes that they take up.</param>
/// <param name="Macs">The multiply-accumulates of a pass; null where they were not counted.</param>
public sealed record ModelSize(long Parameters, long Bytes, long? Macs);
