namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>A finished cell.</summary>
internal sealed record Result(CellFolder Folder, RunReport Report)
{
    public Cell Cell => Folder.Cell;
}
