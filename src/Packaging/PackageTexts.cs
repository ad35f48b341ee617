#nullable enable

using System;
using System.IO;
using System.Text.RegularExpressions;
using Microsoft.Build.Framework;

/// <summary>
/// Writes the README of a package, whose links work outside the repository, and finds the release notes in the changelog.
/// </summary>
/// <remarks>MSBuild compiles this file, alone and against .NET Standard 2.0, when it packs.</remarks>
public sealed class PackageTexts : Microsoft.Build.Utilities.Task
{
    private const string Link = @"(?<before>!?)\[(?<text>[^\]]*)\]\((?!https?:|#)(?<path>[^)\s]+)\)";

    /// <value>The README in the repository, with relative links.</value>
    [Required]
    public string Readme { get; set; } = "";

    /// <value>The README to write.</value>
    [Required]
    public string PackageReadme { get; set; } = "";

    /// <value>The changelog, with a heading <c>## [version]</c> for each version and <c>## [Unreleased]</c>.</value>
    [Required]
    public string Changelog { get; set; } = "";

    /// <value>The version that is packed, without a suffix.</value>
    [Required]
    public string Version { get; set; } = "";

    /// <value>The folder that is the repository's root.</value>
    [Required]
    public string Root { get; set; } = "";

    /// <value>Where the repository lives; empty: links become plain text and pictures are left out.</value>
    public string RepositoryUrl { get; set; } = "";

    /// <value>The commit that is packed.</value>
    public string Commit { get; set; } = "";

    /// <value>The changelog's section on the version, or else on what is unreleased.</value>
    [Output]
    public string ReleaseNotes { get; set; } = "";

    public override bool Execute()
    {
        var changelog = File.ReadAllText(Changelog);
        ReleaseNotes = Section(changelog, Version) ?? Section(changelog, "Unreleased") ?? "";
        Directory.CreateDirectory(Path.GetDirectoryName(PackageReadme)!);
        File.WriteAllText(PackageReadme, Regex.Replace(File.ReadAllText(Readme), Link, Rewrite));
        return true;
    }

    private static string? Section(string changelog, string name)
    {
        var section = Regex.Match(changelog, $@"^## \[{Regex.Escape(name)}\][^\n]*\n(?<text>.*?)(?=^## \[|\z)",
            RegexOptions.Multiline | RegexOptions.Singleline);
        return section.Success ? section.Groups["text"].Value.Trim() : null;
    }

    // The NuGet gallery shows pictures only from hosts that it trusts: of GitHub's, the one for raw files.
    private string Rewrite(Match link)
    {
        var (text, isPicture) = (link.Groups["text"].Value, link.Groups["before"].Length > 0);
        if (RepositoryUrl.Length == 0)
            return isPicture ? "" : text;

        var files = isPicture ? RepositoryUrl.Replace("https://github.com/", "https://raw.githubusercontent.com/")
            : RepositoryUrl + "/blob";
        return $"{link.Groups["before"].Value}[{text}]({files}/{Commit}/{InRepository(link.Groups["path"].Value)})";
    }

    private string InRepository(string path)
    {
        var full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Readme))!, path));
        return full.Substring(Path.GetFullPath(Root).TrimEnd('/', '\\').Length + 1).Replace('\\', '/');
    }
}
