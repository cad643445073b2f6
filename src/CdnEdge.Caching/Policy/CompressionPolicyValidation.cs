using System.Globalization;

namespace CdnEdge.Caching;

/// <summary>Finds every mistake in what a policy says of compression.</summary>
internal static class CompressionPolicyValidation
{
    /// <summary>Above, one body would hold a core for many seconds.</summary>
    private const long MostBytes = 64 << 20;

    internal static void Check(CompressionPolicy compression, PolicyErrors errors)
    {
        errors.Each(nameof(compression.Encodings), compression.Encodings, IsCoding, "a content coding such as br, zstd or gzip");
        CheckNumber(compression, errors);
        errors.Each(
            nameof(compression.Types), compression.Types, CompressibleTypes.IsPattern,
            "a media type without parameters such as text/css, all of a kind such as text/*, or all with a suffix such as *+json");
        if (compression.MinBytes < 1)
            errors.Add(nameof(compression.MinBytes), Text(compression.MinBytes), "at least 1");
        if (compression.MaxBytes is < 1 or > MostBytes)
            errors.Add(nameof(compression.MaxBytes), Text(compression.MaxBytes), $"1 to {Text(MostBytes)} (64 MiB)");
        else if (compression.MinBytes > compression.MaxBytes)
            errors.Add(nameof(compression.MinBytes), Text(compression.MinBytes), $"at most MaxBytes ({Text(compression.MaxBytes)})");
    }

    private static void CheckNumber(CompressionPolicy compression, PolicyErrors errors)
    {
        if (compression.Encodings is not { } codings)
            return;
        if (codings.Count == 0)
            errors.Add(nameof(compression.Encodings), "", "at least one content coding (Enabled: false turns compression off)");
        else if (codings.Count > CompressionPlan.MaxCodings)
            errors.Add(nameof(compression.Encodings), string.Join(", ", codings), $"at most {CompressionPlan.MaxCodings} content codings");
        else if (codings.Distinct(StringComparer.OrdinalIgnoreCase).Count() < codings.Count)
            errors.Add(nameof(compression.Encodings), string.Join(", ", codings), "each content coding once");
    }

    /// <summary>Whether it can be the name of a coding that responses are sent in.</summary>
    // An alias (x-gzip, RFC 9110 §8.4.1.3) is understood in requests; it's never what a response says.
    internal static bool IsCoding(string coding) =>
        Token.IsToken(coding) && coding is not "*" && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase) && !coding.StartsWith("x-", StringComparison.OrdinalIgnoreCase);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
