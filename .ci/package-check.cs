// Checks the packages in a folder as a reviewer of the NuGet gallery would: dotnet run .ci/package-check.cs -- FOLDER [URL] [ID …]
// With the URL of a repository, the packages must name it, link to it and have SourceLink. IDs choose packages; by default all are checked.
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

const string torchSharp = "TorchSharp [0.107.0, 0.108.0)";
var sourceLink = new Guid("CC110556-A091-4D38-9FEC-25AB9A351A6A"); // of the portable PDB format
string[] texts = ["README.md", "icon.png"];
var url = args.ElementAtOrDefault(1) ?? "";
var faults = new List<string>();

string[] targets = ["buildTransitive/Pdp.Core.targets", "buildTransitive/LoadableTorchSharp.cs"];
Check("Pdp.Core", [torchSharp, "MathNet.Numerics 5.0.0"], [.. targets, .. texts]);
Check("Pdp.Baselines", [torchSharp, "Pdp.Core *"], texts);
Check("Pdp.Training", [torchSharp], texts);
Check("Pdp.Sparse", [torchSharp, "Pdp.Core *", "Pdp.Training *"], texts);
foreach (var fault in faults)
    Console.WriteLine(fault);
Console.WriteLine(faults.Count == 0 ? "packages ok" : $"{faults.Count} faults in the packages");
return faults.Count == 0 ? 0 : 1;

void Check(string id, string[] dependencies, string[] files)
{
    if (args.Length > 2 && !args[2..].Contains(id))
        return;

    using var package = ZipFile.OpenRead(Directory.GetFiles(args[0], $"{id}.*.nupkg").Single());
    var contents = package.Entries.Select(e => e.FullName)
        .Where(name => !Regex.IsMatch(name, @"^_rels/|^package/|Content_Types|\.nuspec$"));
    Expect(id, "files", [$"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml", .. files], contents);
    CheckMetadata(id, dependencies, XDocument.Load(Open(package, $"{id}.nuspec")));
    CheckReadme(id, new StreamReader(Open(package, "README.md")).ReadToEnd());
    CheckIcon(id, Open(package, "icon.png").ToArray());
    CheckSymbols(id, Open(package, $"lib/net10.0/{id}.dll"));
}

void CheckMetadata(string id, string[] dependencies, XDocument nuspec)
{
    string Value(string name) => nuspec.Descendants().FirstOrDefault(e => e.Name.LocalName == name)?.Value ?? "";
    var version = Value("version");
    var found = nuspec.Descendants().Where(e => e.Name.LocalName == "dependency")
        .Select(e => $"{e.Attribute("id")!.Value} {e.Attribute("version")!.Value}");
    Expect(id, "dependencies", dependencies.Select(d => d.Replace("*", version, StringComparison.Ordinal)), found);

    foreach (var (name, expected) in new[] { ("license", "MIT"), ("icon", "icon.png"), ("readme", "README.md") })
        Expect(id, name, [expected], [Value(name)]);
    foreach (var name in new[] { "description", "tags", "authors", "copyright", "releaseNotes" })
        Require(Value(name).Length is > 0 and < 35_000, $"{id}: the {name} has {Value(name).Length} characters, not 1 to 35,000.");

    var repository = nuspec.Descendants().Single(e => e.Name.LocalName == "repository");
    Require(repository.Attribute("commit")?.Value.Length == 40, $"{id}: the repository's commit is missing.");
    Expect(id, "project URL", [url], [Value("projectUrl")]);
    Expect(id, "repository's URL", [url], [repository.Attribute("url")?.Value ?? ""]);
}

// Relative links lead nowhere in the NuGet gallery, and headings are the targets of the others without a host.
void CheckReadme(string id, string readme)
{
    var headings = Regex.Matches(readme, @"^#+ +(.+)$", RegexOptions.Multiline)
        .Select(m => "#" + Regex.Replace(m.Groups[1].Value.Trim().ToLowerInvariant(), @"[^\w\- ]", "").Replace(' ', '-'));
    foreach (var link in Regex.Matches(readme, @"\]\(([^)\s]+)\)").Select(m => m.Groups[1].Value))
        Require(link.StartsWith("https://", StringComparison.Ordinal) || headings.Contains(link), $"{id}: the README links to {link}.");
    if (url.Length > 0)
        Require(readme.Contains($"]({url}/blob/", StringComparison.Ordinal), $"{id}: the README doesn't link to {url}.");
    Require(!Regex.IsMatch(readme, "<(img|picture|a|p|div)[ >]"), $"{id}: the README has HTML, which the NuGet gallery doesn't show.");
}

void CheckIcon(string id, byte[] png)
{
    var size = $"{png[18] * 256 + png[19]}×{png[22] * 256 + png[23]}"; // the lower halves of width and height in the first chunk
    Expect(id, "size of the icon", ["128×128"], [size]);
}

void CheckSymbols(string id, MemoryStream assembly)
{
    using var image = new PEReader(assembly);
    var entries = image.ReadDebugDirectory();
    Require(entries.Any(e => e.Type == DebugDirectoryEntryType.Reproducible), $"{id}: the assembly is not deterministic.");
    var embedded = entries.Where(e => e.Type == DebugDirectoryEntryType.EmbeddedPortablePdb).ToList();
    Require(embedded.Count == 1, $"{id}: the assembly has no symbols.");
    var symbols = image.ReadEmbeddedPortablePdbDebugDirectoryData(embedded[0]).GetMetadataReader();
    var local = symbols.Documents.Select(d => symbols.GetString(symbols.GetDocument(d).Name))
        .Where(path => !path.StartsWith("/_/", StringComparison.Ordinal)).ToList();
    Require(local.Count == 0, $"{id}: the symbols name {local.Count} paths of this machine, such as {local.FirstOrDefault()}.");
    var link = symbols.CustomDebugInformation.Select(symbols.GetCustomDebugInformation).Where(i => symbols.GetGuid(i.Kind) == sourceLink)
        .Select(i => Encoding.UTF8.GetString(symbols.GetBlobBytes(i.Value))).FirstOrDefault() ?? "";
    var sources = url.Replace("github.com", "raw.githubusercontent.com", StringComparison.Ordinal);
    Require(url.Length == 0 || link.Contains(sources, StringComparison.Ordinal), $"{id}: SourceLink is '{link}'.");
    CheckTrimming(id, image.GetMetadataReader());
    foreach (var entry in entries.Where(e => e.Type == DebugDirectoryEntryType.CodeView).Select(image.ReadCodeViewDebugDirectoryData))
    {
        var isLocal = Path.GetFileName(entry.Path) != entry.Path && !entry.Path.StartsWith("/_/", StringComparison.Ordinal);
        Require(!isLocal, $"{id}: the assembly names {entry.Path}.");
    }
}

// What the trimmer and the native compiler believe; that it holds, consumer-check.sh shows by publishing.
void CheckTrimming(string id, MetadataReader assembly)
{
    var values = assembly.GetAssemblyDefinition().GetCustomAttributes().Select(a => assembly.GetCustomAttribute(a).Value)
        .Select(value => Encoding.UTF8.GetString(assembly.GetBlobBytes(value))).ToList();
    foreach (var promise in new[] { "IsTrimmable", "IsAotCompatible" })
        Require(values.Any(value => Regex.IsMatch(value, $"{promise}.+True")), $"{id}: {promise} is not declared.");
}

MemoryStream Open(ZipArchive package, string name)
{
    var contents = new MemoryStream();
    using var entry = package.GetEntry(name)!.Open();
    entry.CopyTo(contents);
    contents.Position = 0;
    return contents;
}

void Expect(string id, string what, IEnumerable<string> expected, IEnumerable<string> found)
{
    string List(IEnumerable<string> items) => string.Join(", ", items.Order(StringComparer.Ordinal));
    Require(List(expected) == List(found), $"{id}: {what}: {List(found)}; expected {List(expected)}.");
}

void Require(bool condition, string otherwise)
{
    if (!condition)
        faults.Add(otherwise);
}
