using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>What answering needs of a <see cref="CompressionPolicy"/>, worked out once per policy.</summary>
internal sealed class CompressionPlan
{
    internal const int MaxCodings = 8;

    private const string AcceptEncoding = "Accept-Encoding";

    /// <summary>What an origin can have compressed itself and is compressed anew, as it's written in Content-Encoding.</summary>
    private static readonly string[] Decodable = ["gzip", "br", "zstd"];

    /// <summary>Vary fields of a site that are remembered; a site with more makes a new verdict for each head.</summary>
    private const int MaxVerdicts = 256;

    private const int Choices = 32;
    private const int MaxChoiceLength = 128;

    private readonly string[] _codings;
    private readonly CompressibleTypes _types;
    private readonly bool _recompress;
    private readonly CodingVerdict _no;
    private readonly ConcurrentDictionary<(string? Stored, StringValues Vary, bool HasDigests), CodingVerdict> _verdicts = new();
    private readonly Choice?[] _choices = new Choice?[Choices];

    internal CompressionPlan(CompressionPolicy policy)
    {
        IsEnabled = policy.Enabled;
        _codings = [.. policy.Encodings.Select(static coding => coding.ToLowerInvariant())];
        _types = new CompressibleTypes(policy.Types);
        _recompress = policy.Recompress;
        MinBytes = policy.MinBytes;
        MaxBytes = policy.MaxBytes;
        _no = new CodingVerdict(this, isNegotiable: false, null, default, hasDigests: false);
    }

    internal bool IsEnabled { get; }

    internal ReadOnlySpan<string> Codings => _codings;

    /// <summary>Bounds of the body's length, in bytes.</summary>
    internal long MinBytes { get; }
    internal long MaxBytes { get; }

    /// <summary>Whether a body of this length is compressed; null: its length isn't known yet.</summary>
    internal bool Takes(long? length) => length is null || (length >= MinBytes && length <= MaxBytes);

    /// <summary>
    /// The coding that a request likes best; null: the one in which it's stored. Browsers send few different fields: what they
    /// came to is remembered, by no more than <see cref="Choices"/> of them. Allocates nothing for those.
    /// </summary>
    internal string? Choose(IHeaderDictionary requestHeaders, CodingVerdict verdict)
    {
        var field = requestHeaders.AcceptEncoding;
        if (field.Count == 0 || (requestHeaders.CacheControl is { Count: > 0 } directives && IsForbidden(directives)))
            return null;

        if (verdict.StoredCoding is not null || field is not [{ Length: > 0 and <= MaxChoiceLength } line])
            return CodingAt(AcceptEncodingField.Choose(field, _codings, verdict.StoredCoding));

        ref var slot = ref _choices[(uint)(line.Length + (7 * line[^1]) + (31 * line[line.Length / 2])) % Choices];
        if (Volatile.Read(ref slot) is { } known && string.Equals(known.Field, line, StringComparison.Ordinal))
            return known.Coding;
        var coding = CodingAt(AcceptEncodingField.Choose(field, _codings, null));
        Volatile.Write(ref slot, new Choice(line, coding));
        return coding;
    }

    /// <summary>Whether, and in what words, a response with this head is compressed.</summary>
    internal CodingVerdict Judge(StoredHead head)
    {
        if (!IsEnabled
            || head.Status != StatusCodes.Status200OK
            || head.Directives.NoTransform
            // What has a visitor's secrets would tell them by its compressed length (BREACH), and pays for one visitor's sake only.
            || head.Variance.IsOneVisitors
            || !_types.Contains(MediaType.Of(StoredFields.Single(head.Fields, "Content-Type")))
            || !TryGetCoding(head.Field("Content-Encoding"), out var stored)
            || IsForbidden(head.Field("Cache-Control")))
        {
            return _no;
        }

        var vary = head.Field("Vary");
        var hasDigests = Array.Exists(head.Fields, static field => FieldFilter.IsDigest(field.Name));
        if (_verdicts.TryGetValue((stored, vary, hasDigests), out var verdict))
            return verdict;
        verdict = new CodingVerdict(this, isNegotiable: true, stored, WithAcceptEncoding(vary), hasDigests);
        return _verdicts.Count < MaxVerdicts ? _verdicts.GetOrAdd((stored, vary, hasDigests), verdict) : verdict;
    }

    private string? CodingAt(int index) => index == AcceptEncodingField.AsStored ? null : _codings[index];

    /// <summary>False where the body is in a coding that it stays in.</summary>
    private bool TryGetCoding(StringValues contentEncoding, out string? coding)
    {
        coding = null;
        if (contentEncoding.Count > 1)
            return false;
        var line = contentEncoding.ToString().AsSpan().Trim(" \t");
        if (line.IsEmpty || line.Equals("identity", StringComparison.OrdinalIgnoreCase))
            return true;
        foreach (var known in Decodable)
        {
            if (line.Equals(known, StringComparison.OrdinalIgnoreCase))
                coding = known;
        }

        return _recompress && coding is not null;
    }

    /// <summary><c>no-transform</c>, of a response or a request (RFC 9111 §5.2.2.6, §5.2.1.6).</summary>
    private static bool IsForbidden(StringValues cacheControl)
    {
        var reader = new CacheControlReader(cacheControl);
        while (reader.MoveNext())
        {
            if (reader.Is("no-transform"))
                return true;
        }

        return false;
    }

    /// <summary>Empty where the field names Accept-Encoding already.</summary>
    private static StringValues WithAcceptEncoding(StringValues vary)
    {
        var names = VaryField.Parse(vary, out var isStar);
        return isStar || names.Contains(SelectorName.OfHeader(AcceptEncoding)) ? default
            : names.Count == 0 ? AcceptEncoding
            : $"{vary}, {AcceptEncoding}";
    }

    private sealed record Choice(string Field, string? Coding);
}
