using System.Text;
using CdnEdge.Caching;
using CdnEdge.Fuzz.Engine;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What keys and variants are made of.</summary>
internal static class KeyTargets
{
    private static readonly CachePolicy[] QueryPolicies =
    [
        new() { Key = new KeyPolicy { SortQuery = true } },
        new() { Key = new KeyPolicy { Query = QueryKeyMode.Allow, QueryParameters = ["id", "page", "utm_*"] } },
        new() { Key = new KeyPolicy { Query = QueryKeyMode.Deny, QueryParameters = ["id", "utm_*", "\u00fc"], SortQuery = true } },
        new() { Key = new KeyPolicy { Query = QueryKeyMode.None } },
        new(),
    ];

    private static readonly CachePolicy Selecting = new() { Key = new KeyPolicy { Headers = ["X-Device", "Accept-Language"], Cookies = ["theme"] } };

    private static readonly string[] Sent = ["br", "zstd", "gzip"];

    private static readonly string[] Fields =
        ["Vary: ", "Accept-Encoding", "Accept-Language", "Cookie", "X-Device: ", "*", "\n\n", "\n", ": ", ", ", "gzip", "br;q=0.5", "identity;q=0", "en", "de-AT;q=0.1", "theme=1; ", "Content-Encoding: gzip", "Content-Language: en", "\""];

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("variance", OfExchange) { Words = Fields, BytesPerByte = 400 },
        new("accept-encoding", Codings) { Words = ["gzip", "br", "zstd", "identity", "*", ";q=", "0.5", "1.000", "0", ", ", "x-gzip", "deflate"] },
        new("accept-language", Languages) { Words = ["en", "de-AT", "*", ";q=", "0.5", "0", ", ", "EN", "-"] },
        new("field-value", Normalised) { Words = [" , ", "\"", "\\\"", "a, b", "\t"] },
        new("cookies", Cookies) { Words = ["theme=1", "; ", "=", "theme = 2", "\""] },
        new("query", Query) { Words = ["?", "&", "id=1", "page=2", "utm_source=x", "%69d=1", ";", "+", "%", "="], BytesPerByte = 150, Inputs = 1200 },
        new("percent-encoding", Percent) { Words = ["%", "%41", "%c3%bc", "+", "%%", "%2", "\n"] },
        new("escaped-path", Path) { Words = ["/", "..", ".", "%2F", "%2e", "%25", "%ff", "%c3%bc", "?", "#", "http://"], BytesPerByte = 200 },
        new("host", Host) { Words = ["example.org", ":80", ":443", ":8080", ":", ".", "[::1]", "xn--", "EXAMPLE"] },
        new("location", Location) { Words = ["http://example.org", "//", "/", "..", "?", "#", "%2F", "@", ":80", "\\", "http:", "javascript:", "[::1]"], BytesPerByte = 400 },
    ];

    private static int OfExchange(byte[] input)
    {
        var (request, response) = Given.Exchange(input);
        var outcome = 0;
        foreach (var policy in new[] { Given.Plain, Selecting })
        {
            var variance = Variance.Create(policy, request, response);
            if (variance.IsStar)
            {
                Claim.Holds(!variance.Matches(policy, request));
                outcome = (outcome << 8) | 1;
                continue;
            }

            Claim.Holds(variance.Matches(policy, request));
            Claim.Holds(variance.IsReplacedBy(Variance.Create(policy, request, response)));
            Claim.Holds(variance.SelectingKey(policy, request) == Variance.SelectingKey(policy, variance.VaryNames, request));
            outcome = (outcome << 8) | (Math.Min(variance.Names.Count, 20) << 1);
        }

        return outcome;
    }

    private static int Codings(byte[] input)
    {
        var lines = Given.Lines(input);
        var coding = AcceptedCodings.CodingOf(lines);
        Claim.Holds(AcceptedCodings.IsCoding(coding));
        var chosen = AcceptEncodingField.Choose(lines, Sent, null);
        Claim.Holds(chosen >= AcceptEncodingField.AsStored && chosen < Sent.Length);
        // What is sent in another coding was asked for: by its name or a star, and not refused.
        var text = lines.ToString();
        Claim.Holds(chosen == AcceptEncodingField.AsStored || text.Contains(Sent[chosen], StringComparison.OrdinalIgnoreCase) || text.Contains('*', StringComparison.Ordinal));
        Claim.Holds(AcceptEncodingField.Choose(Refusing(lines), Sent, null) == AcceptEncodingField.AsStored);
        if (!AcceptedCodings.TryParse(lines, out var accepted))
            return (coding << 20) | (chosen & 3);
        Claim.Holds(accepted.IsAbsent == (lines.Count == 0));

        // What it would take itself it takes again; identity is never refused here.
        for (var i = 0; i < 8; i++)
            Claim.Holds(accepted.Selects(i, accepted) == ((accepted.Ranks >> (4 * i)) & 15) > 0);
        Claim.Holds(accepted.Selects(0, accepted));
        return (int)accepted.Ranks ^ (chosen << 28);
    }

    private static StringValues Refusing(StringValues lines) =>
        new([.. lines, .. Sent.Append("*").Select(static coding => $"{coding};q=0")]);

    private static int Languages(byte[] input)
    {
        var buffer = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        buffer.Append("before");
        var isList = AcceptedLanguages.TryAppend(Given.Lines(input), ref buffer);
        var text = buffer.ToString();
        buffer.Dispose();
        Claim.Holds(text.StartsWith("before", StringComparison.Ordinal) && (isList || text == "before"));

        var other = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        other.Append("before");
        AcceptedLanguages.TryAppend(Given.Text(input).ToUpperInvariant().Split('\n') is { } lines && input.Length > 0 ? lines : default, ref other);
        var upper = other.ToString();
        other.Dispose();
        Claim.Holds(upper == text);
        return isList ? 1 + Math.Min(text.Length, 200) : 0;
    }

    private static int Normalised(byte[] input)
    {
        var once = Normalise(Given.Text(input).Split('\n'));
        Claim.Holds(Normalise([once]) == once);
        return once.Length == input.Length ? 0 : 1 + Math.Min(once.Length, 30);
    }

    private static string Normalise(string[] lines)
    {
        var buffer = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        FieldNormalisation.Append(lines, ref buffer);
        var text = buffer.ToString();
        buffer.Dispose();
        return text;
    }

    private static int Cookies(byte[] input)
    {
        var lines = Given.Lines(input);
        var buffer = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        FieldNormalisation.AppendCookies(lines, ref buffer);
        var all = buffer.Length;
        var hasTheme = FieldNormalisation.TryAppendCookie(lines, "theme", ref buffer);
        Claim.Holds(hasTheme || buffer.Length == all);
        buffer.Dispose();
        return (hasTheme ? 1 : 0) | (Math.Min(all, 20) << 1);
    }

    private static int Query(byte[] input)
    {
        var query = "?" + Given.Text(input);
        var outcome = 0;
        foreach (var policy in QueryPolicies)
        {
            var once = QueryIn(policy, query);

            // The key of what the key has is the same key.
            Claim.Holds(QueryIn(policy, once) == once);
            outcome = (outcome << 3) | (once.Length == query.Length ? 1 : 0) | (once.Length == 0 ? 2 : 0);
        }

        return outcome;
    }

    private static string QueryIn(CachePolicy policy, string query)
    {
        var key = KeyComposer.Compose(policy, new HostString("a"), default, new PathString("/"), query.Length == 0 ? default : new QueryString(query), stackalloc byte[256]);
        var bytes = key.Bytes;
        Claim.Holds(bytes.Count(CacheKey.Separator) == 2);
        var text = Encoding.UTF8.GetString(bytes[(bytes.LastIndexOf(CacheKey.Separator) + 1)..]);
        key.Dispose();
        return text;
    }

    private static int Percent(byte[] input)
    {
        var text = Given.Text(input);
        var cut = text.IndexOf('\n', StringComparison.Ordinal);
        var (x, y) = cut < 0 ? (text, "") : (text[..cut], text[(cut + 1)..]);
        var order = PercentEncoding.CompareDecoded(x, y);
        Claim.Holds(Math.Sign(order) == -Math.Sign(PercentEncoding.CompareDecoded(y, x)) && PercentEncoding.CompareDecoded(x, x) == 0);
        var name = Encoding.UTF8.GetBytes(y);
        var equals = PercentEncoding.DecodedEquals(x, name);
        Claim.Holds(!equals || PercentEncoding.DecodedStartsWith(x, name));
        return (Math.Sign(order) + 1) | (equals ? 4 : 0) | (PercentEncoding.DecodedStartsWith(x, name) ? 8 : 0);
    }

    private static int Path(byte[] input)
    {
        var target = Given.Text(input);
        if (target.Contains('\0', StringComparison.Ordinal) || target.Contains("%00", StringComparison.Ordinal))
            return 0; // what Kestrel refuses

        // As rewritten by an application, the path may be any; as decoded, it's the target's.
        _ = EscapedPath.Of(target, new PathString("/a%2Fb"));
        if (target is not ['/', ..])
            return 0;
        var query = target.AsSpan().IndexOfAny('?', '#');
        var decoded = PathString.FromUriComponent(query < 0 ? target : target[..query]);
        if (EscapedPath.Of(target, decoded) is not { } escaped)
            return 1;
        Claim.Holds(EscapedPath.Of(escaped, decoded) == escaped);
        Claim.Holds(escaped.All(static c => c is > ' ' and <= '~'));
        return 2 + Math.Min(escaped.Length, 20);
    }

    private static int Host(byte[] input)
    {
        // What isn't ASCII is in no Host that a server lets pass.
        var host = Encoding.ASCII.GetString(input);
        var canonical = CanonicalHost.Of(host);
        var key = KeyComposer.Compose(Given.Plain, new HostString(host), default, new PathString("/"), default, stackalloc byte[256]);
        Claim.Holds(key.Bytes[..key.Bytes.IndexOf(CacheKey.Separator)].SequenceEqual(Encoding.UTF8.GetBytes(canonical)));
        key.Dispose();
        return (canonical.Length == host.Length ? 1 : 0) | (canonical.Contains(':', StringComparison.Ordinal) ? 2 : 0);
    }

    /// <summary>An origin's Location after an unsafe request names what is to go from the cache: never another site's.</summary>
    private static int Location(byte[] input)
    {
        var target = new Uri("http://example.org/a/b?c=d");
        var headers = new HeaderDictionary { ["Location"] = Given.Text(input), ["Content-Location"] = Given.Text(input) };
        var targets = Invalidation.Targets(target, headers);
        Claim.Holds(targets.Count is 1 or 2);
        foreach (var uri in targets)
            Claim.Holds(CacheKey.Of(Given.Plain, uri).Host.SequenceEqual("example.org"u8));
        return targets.Count;
    }
}
