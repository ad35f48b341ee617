namespace Pdp.Samples.Comparison;

/// <summary>A finished cell.</summary>
internal sealed record Result(CellFolder Folder, ComparedReport Report)
{
    public Cell Cell => Folder.Cell;
}
