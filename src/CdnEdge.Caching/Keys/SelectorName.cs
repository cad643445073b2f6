using System.Collections.Frozen;
using Microsoft.Net.Http.Headers;

namespace CdnEdge.Caching;

/// <summary>How the values of something that tells variants apart are compared.</summary>
internal enum SelectorKind : byte
{
    /// <summary>A header field of which nothing more is known.</summary>
    Field,
    /// <summary>Accept-Encoding.</summary>
    Codings,
    /// <summary>Accept-Language.</summary>
    Languages,
    /// <summary>The whole Cookie field.</summary>
    Cookies,
    /// <summary>One cookie of the policy's.</summary>
    Cookie,
}

/// <summary>Something of a request that tells variants apart.</summary>
/// <param name="Kind">How its values compare.</param>
/// <param name="Name">The field's name (one instance where it's a well-known one, else lower-case) or the cookie's.</param>
internal readonly record struct SelectorName(SelectorKind Kind, string Name) : IComparable<SelectorName>
{
    // Names that sites vary on are shared, not kept once per stored response.
    private static readonly FrozenDictionary<string, SelectorName> WellKnown = new SelectorName[]
    {
        new(SelectorKind.Codings, HeaderNames.AcceptEncoding),
        new(SelectorKind.Languages, HeaderNames.AcceptLanguage),
        new(SelectorKind.Cookies, HeaderNames.Cookie),
        new(SelectorKind.Field, HeaderNames.Accept),
        new(SelectorKind.Field, HeaderNames.AcceptCharset),
        new(SelectorKind.Field, HeaderNames.AccessControlRequestHeaders),
        new(SelectorKind.Field, HeaderNames.AccessControlRequestMethod),
        new(SelectorKind.Field, HeaderNames.Authorization),
        new(SelectorKind.Field, HeaderNames.Host),
        new(SelectorKind.Field, HeaderNames.Origin),
        new(SelectorKind.Field, HeaderNames.Referer),
        new(SelectorKind.Field, HeaderNames.UserAgent),
        new(SelectorKind.Field, HeaderNames.XRequestedWith),
        new(SelectorKind.Field, "available-dictionary"),
        new(SelectorKind.Field, "sec-ch-ua-mobile"),
        new(SelectorKind.Field, "sec-fetch-dest"),
        new(SelectorKind.Field, "sec-fetch-mode"),
        new(SelectorKind.Field, "sec-fetch-site"),
        new(SelectorKind.Field, "x-forwarded-host"),
        new(SelectorKind.Field, "x-forwarded-proto"),
    }.ToFrozenDictionary(static s => s.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, SelectorName>.AlternateLookup<ReadOnlySpan<char>> WellKnownBySpan =
        WellKnown.GetAlternateLookup<ReadOnlySpan<char>>();

    internal static SelectorName OfHeader(ReadOnlySpan<char> field) =>
        WellKnownBySpan.TryGetValue(field, out var known) ? known : new(SelectorKind.Field, field.ToString().ToLowerInvariant());

    internal static SelectorName OfCookie(string name) => new(SelectorKind.Cookie, name);

    /// <summary>As bytes, for <see cref="Read"/>.</summary>
    internal void Write(RecordWriter to)
    {
        to.Byte(Kind == SelectorKind.Cookie ? (byte)1 : (byte)0);
        to.Text(Name);
    }

    /// <summary>A field's kind isn't kept: it follows from its name.</summary>
    internal static SelectorName Read(ref RecordReader from)
    {
        var isCookie = from.Flag();
        var name = from.Text();
        if (!isCookie && !Token.IsToken(name))
            from.Spoil();
        return isCookie ? OfCookie(name) : OfHeader(name);
    }

    /// <summary>Whether the name is shared with others, and so no memory of one response.</summary>
    internal bool IsWellKnown => Kind is SelectorKind.Cookie || WellKnown.ContainsKey(Name);

    public int CompareTo(SelectorName other)
    {
        var byKind = (Kind == SelectorKind.Cookie).CompareTo(other.Kind == SelectorKind.Cookie);
        return byKind != 0 ? byKind : string.CompareOrdinal(Name, other.Name);
    }
}
