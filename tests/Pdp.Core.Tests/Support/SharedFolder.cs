namespace Pdp.Tests.Support;

/// <summary>The folder of reference data that lies beside the repository; it is no part of it.</summary>
internal static class SharedFolder
{
    public const string Missing = "The folder 'shared' with reference data is not beside the repository.";

    /// <summary>Its path; null where it isn't there.</summary>
    public static string? Location { get; } = Find();

    private static string? Find()
    {
        var shared = Repository.Root is { } root ? Path.Combine(root, "..", "shared") : null;
        return Directory.Exists(shared) ? shared : null;
    }
}
