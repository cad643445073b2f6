using System.Globalization;
using System.Net;
using CdnEdge.Caching;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What a node reads of one neighbour's message to write another's.</summary>
internal static class RelayTargets
{
    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("only-if-cached", OnlyIfStored) { Words = ["only-if-cached", "ONLY-IF-CACHED=1", "only-if-cached\"", "max-age=60", "no-store", ", ", "a=\"", "\\\"", "\"", "max-stale", "=", "\n"], BytesPerByte = 200 },
        new("response-framing", Framing) { Words = ["200 1.1\n", "Transfer-Encoding: ", "chunked", "identity", "gzip, ", "Content-Length: 5", "\n", "101 1.1", "204 1.1", "205 1.0", "99 1.1"], BytesPerByte = 300 },
        new("interim-writer", Interim) { Words = ["Link: </a>", "\u001e", "Connection: x", "Content-Length: 5", "\r\n", "\r\n\r\nHTTP/1.1 200 OK\r\n", ":", "\n", "x: 1"], BytesPerByte = 200 },
        new("proxy-status", Status) { Words = ["edge", "/", "\n", "\"", "\\", "\u00e9", ", ", ";", "1"], BytesPerByte = 4000 },
    ];

    /// <summary>What this node takes for the directive doesn't go on; what else the visitor asked for does.</summary>
    private static int OnlyIfStored(byte[] input)
    {
        using var request = new HttpRequestMessage();
        foreach (var line in Given.Lines(input))
            request.Headers.TryAddWithoutValidation("Cache-Control", line);
        var before = Directives(request);
        OnlyIfCached.RemoveFrom(request.Headers);
        var after = Directives(request);
        Claim.Holds(!after.OnlyIfCached);
        Claim.Holds(after == before with { OnlyIfCached = false });
        return (before.OnlyIfCached ? 1 : 0) | (before.NoStore ? 2 : 0) | (before.MaxAge is null ? 0 : 4) | (before.MaxStale is null ? 0 : 8);
    }

    private static RequestDirectives Directives(HttpRequestMessage request) => RequestDirectives.Parse(new HeaderDictionary
    {
        ["Cache-Control"] = request.Headers.NonValidated.TryGetValues("Cache-Control", out var lines) ? new StringValues([.. lines]) : default,
    });

    /// <summary>A line of status and version, then fields. What passes has one end, wherever it's read.</summary>
    private static int Framing(byte[] input)
    {
        var text = Given.Text(input);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var words = (end < 0 ? text : text[..end]).Split(' ');
        using var response = new HttpResponseMessage((HttpStatusCode)(int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status % 1000 : 200))
        {
            Version = words is [_, "1.0", ..] ? HttpVersion.Version10 : HttpVersion.Version11,
            Content = new ByteArrayContent([]),
        };
        response.Content.Headers.Clear();
        foreach (var (name, value) in end < 0 ? [] : Given.Fields(text.AsSpan(end + 1)))
        {
            if (!response.Headers.TryAddWithoutValidation(name, value.ToArray()))
                response.Content.Headers.TryAddWithoutValidation(name, value.ToArray());
        }

        var context = new ResponseTransformContext { HttpContext = new DefaultHttpContext(), ProxyResponse = response };
        try
        {
            new ResponseFramingTransform().ApplyAsync(context).AsTask().GetAwaiter().GetResult();
        }
        catch (HttpRequestException refused)
        {
            return refused.Message.Length;
        }

        var coding = response.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings) ? codings.ToString() : null;
        Claim.Holds(coding is null || !response.Content.Headers.NonValidated.Contains("Content-Length"));
        Claim.Holds(coding is null || coding.Equals("chunked", StringComparison.OrdinalIgnoreCase) || Token.IsToken(coding));
        return coding is null ? 1 : 2;
    }

    /// <summary>Records <c>name: value</c> between U+001E, so that values can have line ends. Whatever is in them, one head is written and nothing behind it.</summary>
    private static int Interim(byte[] input)
    {
        var fields = new List<KeyValuePair<string, string>>();
        foreach (var record in Given.Text(input).Split('\u001e'))
        {
            var colon = record.IndexOf(':', StringComparison.Ordinal);
            fields.Add(new(colon < 0 ? record : record[..colon], colon < 0 ? "" : record[(colon + 1)..].Trim(' ', '\t')));
        }

        var written = Http1InterimWriter.Encode(103, fields);
        Claim.Holds(written.AsSpan().IndexOf("\r\n\r\n"u8) == written.Length - 4);
        Claim.Holds(InterimHead.TryParse(written, out var head) && head.Status == 103);
        var given = fields.Select(static field => (field.Key, field.Value)).ToHashSet();
        Claim.Holds(head.Fields.All(field => given.Contains((field.Key, field.Value))));
        Claim.Holds(!head.Fields.Any(static field => field.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || field.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)));
        return Math.Min(head.Fields.Count, 20) + (head.Fields.Count < fields.Count ? 32 : 0);
    }

    /// <summary>Lines: this node, then clusters and destinations. However they're called, there's a member for each that failed and none more.</summary>
    private static int Status(byte[] input)
    {
        var lines = Given.Text(input).Split('\n');
        var hops = lines.Skip(1).Select(static (line, i) => line.Split('/', 2) is var names
            ? new FailedHop(names[0], names[^1], ProxyStatus.ErrorStatus, i % 2 == 0 ? 500 + i : null)
            : throw new InvalidOperationException()).ToArray();

        // It stands before each, with fixed words behind it: a byte of the input, a line end, makes some 200 characters.
        var node = lines[0][..Math.Min(lines[0].Length, 16)];
        var field = (ProxyStatus.NobodyLeft with { Hops = hops }).ToField(node);
        Claim.Holds(StructuredField.TryParseList(field, out var members) && members.Count == Math.Max(1, hops.Length));
        Claim.Holds(field.All(static c => c is >= ' ' and <= '~'));
        return Math.Min(members.Count, 20) + ((int)members[0].Kind << 8);
    }
}
