namespace Pdp.Samples.Cifar10;

/// <summary>A file of the data set, in a folder or an archive; names have forward slashes.</summary>
internal sealed record DataFile(string Name, Func<byte[]> Read);
