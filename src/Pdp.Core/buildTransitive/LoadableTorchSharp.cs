#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;

/// <summary>
/// Writes a copy of TorchSharp's native library that loads with a libstdc++ older than GCC 13's; Pdp.Core.targets says why.
/// </summary>
/// <remarks>MSBuild compiles this file, alone and against .NET Standard 2.0, when there is a copy to write.</remarks>
public sealed class LoadableTorchSharp : Microsoft.Build.Utilities.Task
{
    /// <value>The path of the library; it stays as it is.</value>
    [Required]
    public string Library { get; set; } = "";

    /// <value>The path of the copy; none is written where the library's bytes are not as expected.</value>
    [Required]
    public string Copy { get; set; } = "";

    /// <value>Whether it is an error if no copy can be written.</value>
    public bool MustSucceed { get; set; }

    public override bool Execute()
    {
        try
        {
            var image = File.ReadAllBytes(Library);
            new ElfImage(image).AskForOlderSymbol();
            Write(image);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Report($"{Library} can't be made to load with a libstdc++ older than GCC 13's: {e.Message}");
        }

        return !Log.HasLoggedErrors;
    }

    private void Report(string fault)
    {
        if (MustSucceed)
            Log.LogError($"Pdp: {fault} PdpPatchTorchSharp=never leaves it as it is.");
        else
            Log.LogMessage(MessageImportance.High, $"Pdp: {fault} It is left as it is; PdpPatchTorchSharp=never saves the attempt.");
    }

    // Written beside and renamed, so that no other build meets half a file.
    private void Write(byte[] image)
    {
        var beside = $"{Copy}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(Path.GetDirectoryName(Copy)!);
        File.WriteAllBytes(beside, image);
        try
        {
            File.Move(beside, Copy);
        }
        catch (IOException) when (File.Exists(Copy))
        {
            File.Delete(beside);
        }
    }

    // Field names in comments (st_name, vna_hash, ...) are those of the ELF specification and of its GNU symbol versioning.
    private sealed class ElfImage
    {
        private const string NewerSymbol = "_ZSt21ios_base_library_initv", NewerVersion = "GLIBCXX_3.4.32";
        private const string OlderSymbol = "_ZNSt8ios_base4InitC1Ev", OlderVersion = "GLIBCXX_3.4";

        private const int SectionHeaderSize = 64, SymbolSize = 24;
        private const uint DynamicSymbols = 11, SymbolVersions = 0x6fffffff, NeededVersions = 0x6ffffffe;

        private readonly byte[] _bytes;
        private readonly Section _symbols, _symbolVersions, _neededVersions, _strings;

        public ElfImage(byte[] bytes)
        {
            _bytes = bytes;
            Expect(Read(0, 4) == 0x464c457f && Read(4, 2) == 0x0102 && Read(16, 2) == 3 && Read(18, 2) == 62,
                "it is no x64 shared library.");
            Expect(Read(58, 2) == SectionHeaderSize, "its section headers have an unknown size.");
            _symbols = SectionOfType(DynamicSymbols);
            _symbolVersions = SectionOfType(SymbolVersions);
            _neededVersions = SectionOfType(NeededVersions);
            _strings = SectionAt(_symbols.Link);
            Expect(_neededVersions.Link == _symbols.Link, "its versions and symbols have different name tables.");
        }

        /// <summary>Gives the one symbol of the newer version the name and version of an older one; checks everything first.</summary>
        public void AskForOlderSymbol()
        {
            var symbol = Single(Symbols().Where(s => IsNamed(NameOf(s), NewerSymbol)), NewerSymbol);
            var name = NameOf(symbol);
            Expect(Symbols().Count(s => NameOf(s) >= name && NameOf(s) <= name + NewerSymbol.Length) == 1,
                $"it has other names within {NewerSymbol}.");

            var newer = Single(Versions().Where(v => IsNamed(Read(v + 8, 4), NewerVersion)), NewerVersion);
            var older = Single(Versions().Where(v => IsNamed(Read(v + 8, 4), OlderVersion)), OlderVersion);
            var index = Read(newer + 6, 2);
            Expect(Symbols().Where(s => VersionOf(s) == index).SequenceEqual([symbol]),
                $"{NewerVersion} is not the version of {NewerSymbol} alone.");

            Encoding.ASCII.GetBytes(OlderSymbol.PadRight(NewerSymbol.Length, '\0')).CopyTo(_bytes, _strings.Offset + name);
            Array.Copy(_bytes, older, _bytes, newer, 4);         // vna_hash
            Array.Copy(_bytes, older + 8, _bytes, newer + 8, 4); // vna_name
        }

        private IEnumerable<long> Symbols() => Enumerable.Range(0, (int)(_symbols.Size / SymbolSize)).Select(i => (long)i);

        private long NameOf(long symbol) => Read(_symbols.Offset + symbol * SymbolSize, 4);

        // The highest bit says "hidden" and is no part of the index.
        private long VersionOf(long symbol) => Read(_symbolVersions.Offset + symbol * 2, 2) & 0x7fff;

        private bool IsNamed(long name, string expected) =>
            name + expected.Length < _strings.Size
            && Encoding.ASCII.GetString(_bytes, (int)(_strings.Offset + name), expected.Length + 1) == expected + '\0';

        // A list of files (vn_aux, vn_next), each with a list of versions (vna_next); both lead forwards and end with 0.
        private IEnumerable<long> Versions() =>
            from file in Chain(_neededVersions.Offset, next: 12)
            from version in Chain(file + Read(file + 8, 4), next: 12)
            select version;

        private IEnumerable<long> Chain(long at, int next)
        {
            long step;
            do
            {
                yield return at;
                step = Read(at + next, 4);
                at += step;
            }
            while (step != 0);
        }

        private Section SectionOfType(uint type)
        {
            var sections = Enumerable.Range(0, (int)Read(60, 2)).Select(i => (long)i); // e_shnum
            return SectionAt(Single(sections.Where(i => Read(HeaderOf(i) + 4, 4) == type), $"the section of type 0x{type:x}")); // sh_type
        }

        private Section SectionAt(long index)
        {
            Expect(index < Read(60, 2), "it has a link to a section that is not there.");
            var header = HeaderOf(index);
            var section = new Section(Read(header + 24, 8), Read(header + 32, 8), Read(header + 40, 4)); // sh_offset, sh_size, sh_link
            Expect(section.Offset >= 0 && section.Size >= 0 && section.Size <= _bytes.Length - section.Offset,
                "a section of it is outside the file.");
            return section;
        }

        private long HeaderOf(long section) => Read(40, 8) + section * SectionHeaderSize; // e_shoff

        private long Read(long at, int size)
        {
            Expect(at >= 0 && at <= _bytes.Length - size, "it ends too early.");
            return size switch
            {
                2 => BitConverter.ToUInt16(_bytes, (int)at),
                4 => BitConverter.ToUInt32(_bytes, (int)at),
                _ => BitConverter.ToInt64(_bytes, (int)at),
            };
        }

        private static long Single(IEnumerable<long> found, string what)
        {
            var all = found.ToList();
            Expect(all.Count == 1, $"it has {what} {all.Count} times, not once.");
            return all[0];
        }

        private static void Expect(bool condition, string otherwise)
        {
            if (!condition)
            {
                throw new InvalidDataException(otherwise);
            }
        }

        private readonly struct Section(long offset, long size, long link)
        {
            public long Offset { get; } = offset;

            public long Size { get; } = size;

            public long Link { get; } = link;
        }
    }
}
