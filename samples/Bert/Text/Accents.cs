using System.Collections.Frozen;

namespace Pdp.Samples.Bert.Text;

/// <summary>Takes the accents off Latin letters, as BERT's vocabularies without case expect.</summary>
/// <remarks>
/// Unicode's decomposition does this, but .NET leaves it to ICU, which a machine need not have. Other scripts keep their marks; their words
/// are not in these vocabularies anyway.
/// </remarks>
internal static class Accents
{
    /// <summary>Each letter without an accent, and then the letters that decompose into it and marks.</summary>
    private static readonly string[] Letters =
    [
        "aàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ",
        "bḃḅḇ",
        "cçćĉċčḉ",
        "dďḋḍḏḑḓ",
        "eèéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ",
        "fḟ",
        "gĝğġģǧǵḡ",
        "hĥȟḣḥḧḩḫẖ",
        "iìíîïĩīĭįǐȉȋḭḯỉị",
        "jĵǰ",
        "kķǩḱḳḵ",
        "lĺļľḷḹḻḽ",
        "mḿṁṃ",
        "nñńņňǹṅṇṉṋ",
        "oòóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ",
        "pṕṗ",
        "rŕŗřȑȓṙṛṝṟ",
        "sśŝşšșṡṣṥṧṩ",
        "tţťțṫṭṯṱẗ",
        "uùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự",
        "vṽṿ",
        "wŵẁẃẅẇẉẘ",
        "xẋẍ",
        "yýÿŷȳẏẙỳỵỷỹ",
        "zźżžẑẓẕ",
    ];

    private static readonly FrozenDictionary<char, char> Plain =
        Letters.SelectMany(row => row.Skip(1).Select(letter => KeyValuePair.Create(letter, row[0]))).ToFrozenDictionary();

    /// <summary>The text in lower case and without accents.</summary>
    public static string Strip(string text) => string.Create(text.Length, text, static (letters, source) =>
    {
        source.AsSpan().ToLowerInvariant(letters);
        foreach (ref var letter in letters)
        {
            letter = Plain.GetValueOrDefault(letter, letter);
        }
    });
}
