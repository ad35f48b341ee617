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

    /// <summary>The names of inferred types, and of members that the compiler declares for records and delegates.</summary>
    private static readonly string[] Undeclared = ["var", "Equals", "GetHashCode", "ToString", "Deconstruct", "Invoke"];

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Pdp.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Trees by their text, as a library's sources are compiled with those of others, too.</summary>
    private static readonly Dictionary<string, SyntaxTree> Parsed = [];

    /// <summary>The arrows between the rooms of sources, by their paths.</summary>
    /// <param name="sources">The sources.</param>
    /// <param name="lent">What is compiled with them and belongs to no room; paths begin with "..".</param>
    public static IReadOnlyList<Arrow> Of(IReadOnlyDictionary<string, string> sources, IReadOnlyDictionary<string, string> lent)
    {
        SyntaxTree[] trees = [.. Parse(sources)];
        var compilation = CSharpCompilation.Create(
            "Rooms",
            [.. trees, .. Parse(lent), CSharpSyntaxTree.ParseText(ImplicitUsings)],
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        var names = Undeclared.Concat(trees.SelectMany(Declared)).ToHashSet(StringComparer.Ordinal);
        return [.. trees.SelectMany(tree => ArrowsOf(tree, compilation.GetSemanticModel(tree), names))];
    }

    private static IEnumerable<SyntaxTree> Parse(IReadOnlyDictionary<string, string> sources) =>
        sources.Select(source => Parse(source.Key, source.Value));

    private static SyntaxTree Parse(string path, string text)
    {
        if (!Parsed.TryGetValue(text, out var tree))
            Parsed[text] = tree = CSharpSyntaxTree.ParseText(text, path: path);
        return tree.FilePath == path ? tree : tree.WithFilePath(path);
    }

    /// <summary>The names by which types, members and aliases of a tree can be referred to.</summary>
    private static IEnumerable<string> Declared(SyntaxTree tree) =>
        tree.GetRoot().DescendantTokens().Where(IsDeclared).Select(token => token.ValueText)
            .SelectMany(name => new[] { name, WithoutSuffix(name) });

    private static bool IsDeclared(SyntaxToken token) => token.IsKind(SyntaxKind.IdentifierToken) && token.Parent is MemberDeclarationSyntax
        or VariableDeclaratorSyntax { Parent.Parent: BaseFieldDeclarationSyntax }
        or ParameterSyntax { Parent.Parent: TypeDeclarationSyntax }
        or IdentifierNameSyntax { Parent: NameEqualsSyntax { Parent: UsingDirectiveSyntax } };

    /// <summary>The name of an attribute where it is applied.</summary>
    private static string WithoutSuffix(string name) =>
        name.EndsWith(nameof(Attribute), StringComparison.Ordinal) ? name[..^nameof(Attribute).Length] : name;

    /// <summary>Whether a node may refer to something in sources that declare these names; asking the compiler takes long.</summary>
    private static bool MayRefer(SyntaxNode node, HashSet<string> names) =>
        node is ImplicitObjectCreationExpressionSyntax || (node is SimpleNameSyntax name && names.Contains(name.Identifier.ValueText));

    private static IEnumerable<Arrow> ArrowsOf(SyntaxTree tree, SemanticModel model, HashSet<string> names) =>
        from node in tree.GetRoot().DescendantNodes()
        where MayRefer(node, names)
        let symbol = model.GetSymbolInfo(node).Symbol
        let type = symbol as INamedTypeSymbol ?? symbol?.ContainingType
        let file = type?.OriginalDefinition.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath
        where !string.IsNullOrEmpty(file) && !file.StartsWith("..", StringComparison.Ordinal) && Rooms.Of(file) != Rooms.Of(tree.FilePath)
        select new Arrow(
            Rooms.Of(tree.FilePath),
            Rooms.Of(file),
            $"{tree.FilePath}({tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}): {type.Name}");
}
