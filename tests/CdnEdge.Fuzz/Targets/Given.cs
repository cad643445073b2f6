using System.Text;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Fuzz.Targets;

/// <summary>Inputs as what a parser gets, and the little that it needs beside them.</summary>
internal static class Given
{
    internal static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    internal static readonly TimeProvider Clock = new FixedClock();

    /// <summary>Nothing but what HTTP says.</summary>
    internal static readonly CachePolicy Plain = new();

    /// <summary>As Kestrel decodes fields: a character for each octet.</summary>
    internal static string Text(byte[] input) => Encoding.Latin1.GetString(input);

    /// <summary>A field on as many lines as the input has; none of an empty one.</summary>
    internal static StringValues Lines(byte[] input) => input.Length == 0 ? default : new StringValues(Text(input).Split('\n'));

    /// <summary>Lines <c>Name: value</c> as fields; other lines are left out, as a server refuses them.</summary>
    internal static HeaderDictionary Fields(ReadOnlySpan<char> text)
    {
        var lines = new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (var range in text.Split('\n'))
        {
            var line = text[range];
            var colon = line.IndexOf(':');
            if (colon <= 0 || !Token.IsToken(line[..colon]))
                continue;
            var name = line[..colon].ToString();
            if (!lines.TryGetValue(name, out var values))
                lines[name] = values = [];
            values.Add(line[(colon + 1)..].Trim(" \t").ToString());
        }

        var fields = new HeaderDictionary(lines.Count);
        foreach (var (name, values) in lines)
            fields[name] = values.ToArray();
        return fields;
    }

    /// <summary>A request's fields, an empty line, a response's.</summary>
    internal static (IHeaderDictionary Request, IHeaderDictionary Response) Exchange(byte[] input)
    {
        var text = Text(input);
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        return end < 0 ? (Fields(text), new HeaderDictionary()) : (Fields(text.AsSpan(0, end)), Fields(text.AsSpan(end + 2)));
    }

    /// <summary>A request line's method and target, then fields: as Kestrel would have them.</summary>
    internal static DefaultHttpContext Request(byte[] input)
    {
        var text = Text(input);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var words = (end < 0 ? text : text[..end]).Split(' ', 2);
        var context = new DefaultHttpContext();
        var request = context.Request;
        foreach (var field in end < 0 ? [] : Fields(text.AsSpan(end + 1)))
            request.Headers[field.Key] = field.Value;
        request.Method = Token.IsToken(words[0]) ? words[0] : "GET";
        request.Protocol = "HTTP/1.1";
        request.Scheme = "http";
        SetTarget(request, words.Length > 1 ? words[1] : "/");
        return context;
    }

    private static void SetTarget(HttpRequest request, string target)
    {
        request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        var rest = target;
        if (target is not ['/', ..] && target.IndexOf("://", StringComparison.Ordinal) is >= 0 and var authority)
        {
            var after = target[(authority + 3)..];
            rest = after.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? after[slash..] : "/";
        }

        var query = rest.IndexOf('?', StringComparison.Ordinal);
        request.QueryString = query < 0 ? default : new QueryString(rest[query..]);
        request.Path = Decoded(query < 0 ? rest : rest[..query]);
    }

    /// <summary>Decoded but for %2F and what is no UTF-8, then without dot segments: Kestrel's order.</summary>
    private static PathString Decoded(string path)
    {
        if (path is not ['/', ..] || path.Contains("%00", StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal))
            return default; // what Kestrel refuses
        var segments = PathString.FromUriComponent(path).Value![1..].Split('/');
        var kept = new List<string>();
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i] is not ("." or ".."))
            {
                kept.Add(segments[i]);
                continue;
            }

            if (segments[i] == ".." && kept.Count > 0)
                kept.RemoveAt(kept.Count - 1);
            if (i == segments.Length - 1)
                kept.Add("");
        }

        return new PathString("/" + string.Join('/', kept));
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
