using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Pdp.Tests.Architecture;

/// <summary>
/// What refers to what in sources, as the compiler sees it: each type and member by the folder of the file that declares it.
/// </summary>
/// <remarks>
/// Constants, inferred types and extension methods count too; references in documentation don't. What generators add is not seen.
/// </remarks>
internal static class SourceArrows
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using "
            + "System.Threading;";

    /// <summary>The arrows between the rooms of sources, by their paths.</summary>
    /// <param name="sources">The sources.</param>
    /// <param name="lent">What is compiled with them and belongs to no room; paths begin with "..".</param>
    public static IReadOnlyList<Arrow> Of(IReadOnlyDictionary<string, string> sources, IReadOnlyDictionary<string, string> lent)
    {
        SyntaxTree[] trees = [.. Parse(sources)];
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Pdp.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "Rooms",
            [.. trees, .. Parse(lent), CSharpSyntaxTree.ParseText(ImplicitUsings)],
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        return [.. trees.SelectMany(tree => ArrowsOf(tree, compilation.GetSemanticModel(tree)))];
    }

    private static IEnumerable<SyntaxTree> Parse(IReadOnlyDictionary<string, string> sources) =>
        sources.Select(source => CSharpSyntaxTree.ParseText(source.Value, path: source.Key));

    private static IEnumerable<Arrow> ArrowsOf(SyntaxTree tree, SemanticModel model) =>
        from node in tree.GetRoot().DescendantNodes()
        where node is SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax
        let symbol = model.GetSymbolInfo(node).Symbol
        let type = symbol as INamedTypeSymbol ?? symbol?.ContainingType
        let file = type?.OriginalDefinition.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath
        where !string.IsNullOrEmpty(file) && !file.StartsWith("..", StringComparison.Ordinal) && Rooms.Of(file) != Rooms.Of(tree.FilePath)
        select new Arrow(
            Rooms.Of(tree.FilePath),
            Rooms.Of(file),
            $"{tree.FilePath}({tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}): {type.Name}");
}
