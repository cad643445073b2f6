using System.Buffers;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Routing;
using CdnEdge.Delivery.Serving;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Targets;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What a visitor can make of a request before the cache sees it.</summary>
internal static class GuardTargets
{
    // What Kestrel takes for a host, its port and brackets.
    private static readonly SearchValues<char> InHosts = SearchValues.Create("!$&'()-._~:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly CachePolicy Bypassing = new()
    {
        Bypass = new BypassPolicy { Cookies = ["session", "wp_*"], Headers = ["X-Preview"], QueryParameters = ["preview", "utm_*"], Paths = ["/admin/"] },
    };

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("request-target", Target)
        {
            Words = ["GET ", "/", "..", "/.", "%2F", "%2e", "%25", "%", "?", "#", "http://", "https://", "@", "*", "\nHost: a", ":80", "\\", "%00", "%c3%bc", "%ff", "[::1]", "a..b", ":99999", "xn--"],
            BytesPerByte = 400,
        },
        new("request-framing", Framing)
        {
            Words = ["POST /\n", "Transfer-Encoding: chunked", "Content-Length: 1", "\n", "gzip, chunked", "Upgrade: websocket", "Host: a", "xn--", "CDN-Loop: cdnedge", "Expect: 100-continue", "Connection: close", "CONNECT "],
            BytesPerByte = 300,
        },
        new("bypass", Bypass) { Words = ["GET /a?", "preview=1", "&", "%70", "utm_x", "Cookie: ", "session=1", "; ", "Accept: text/event-stream", "\n", "X-Preview: 1", "/admin", "Incremental: ?1"], BytesPerByte = 400 },
        new("connection-field", Connection) { Words = ["close", "keep-alive", ", ", "Upgrade", "X-A", ","], BytesPerByte = 200 },
        new("content-length-field", Length) { Words = ["0", "+", "-", "18446744073709551616"], MaxLength = 64 },
        new("error-page", Page) { Words = ["/", "..", ".html", "\0"], Inputs = 1000 },
        new("server-version", ServerVersion) { Words = ["10.0.0", "-rc.2", "+abc", "8.0.21", "."], BytesPerByte = 150 },
    ];

    /// <summary>The key and what the origin sees agree: what is ambiguous when decoded is spelt out, in one way.</summary>
    private static int Target(byte[] input)
    {
        var context = Given.Request(input);
        var request = context.Request;
        if (!HostGuard.IsReadable(request))
            return -1;
        var refusal = TargetGuard.Inspect(context);
        _ = PeerTarget.Of(request);
        var path = EscapedPath.PathOf(request);
        Claim.Holds(path.Value is null or ['/', ..] or "");

        // A host that a server would have refused before is none of ours.
        if (!request.Headers.Host.ToString().AsSpan().ContainsAnyExcept(InHosts) && RequestTarget.HasValidHost(request))
            _ = RequestTarget.Of(request);
        if (refusal is { } refused)
            return refused.StatusCode;
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target is not ['/', ..] || request.Path.Value?.Contains('%', StringComparison.Ordinal) != true)
            return 1;
        var escaped = EscapedPath.Of(request);
        Claim.Holds(escaped is not null);
        Claim.Holds(EscapedPathTransform.Escape(request.Path.Value, request.Path, escaped!) == escaped);
        return 2;
    }

    private static int Framing(byte[] input)
    {
        var context = Given.Request(input);
        if (!HostGuard.IsReadable(context.Request))
            return -1;
        var refusal = new RequestGuard(new CacheName("cdnedge")).Refuse(context);

        // Two lengths of one message never pass.
        var headers = context.Request.Headers;
        Claim.Holds(refusal is not null || headers.TransferEncoding.Count == 0 || headers.ContentLength is null);
        Claim.Holds(refusal is not null || headers.TransferEncoding.Count == 0 || headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase));
        _ = FinalRecipient.IsEdge(context);
        return refusal is { } refused ? refused.StatusCode + (refused.Reason.Length << 10) : 0;
    }

    private static int Bypass(byte[] input)
    {
        var context = Given.Request(input);
        return (int)RequestBypass.Decide(context, Bypassing);
    }

    /// <summary>As Kestrel asks for it: what the sender nominated is still there.</summary>
    private static int Connection(byte[] input)
    {
        var text = RequestFieldEncoding.Connection.GetString(input);
        var sent = Given.Text(input).Split(',').Select(static option => option.Trim()).Where(static option => option.Length > 0 && !IsKnown(option));
        Claim.Holds(!sent.Except(text.Split(',').Select(static option => option.Trim()), StringComparer.OrdinalIgnoreCase).Any());
        return text.Length == input.Length ? 0 : text.Length > input.Length ? 1 : 2;
    }

    private static bool IsKnown(string option) => option.Equals("close", StringComparison.OrdinalIgnoreCase)
        || option.Equals("keep-alive", StringComparison.OrdinalIgnoreCase) || option.Equals("upgrade", StringComparison.OrdinalIgnoreCase);

    private static int Length(byte[] input)
    {
        Span<char> room = stackalloc char[20];
        var count = RequestFieldEncoding.ContentLength.GetChars(input, room);
        var isNumber = !room[..count].ContainsAnyExceptInRange('0', '9');
        Claim.Holds(isNumber == (!input.AsSpan().ContainsAnyExceptInRange((byte)'0', (byte)'9') && input.Length <= room.Length));
        return isNumber ? 1 : 0;
    }

    private static int Page(byte[] input)
    {
        File.WriteAllText($"{ScratchFile.Folder}/page.html", "<p>");
        var path = $"{ScratchFile.Folder}/{Encoding.UTF8.GetString(input)}";
        if (ErrorPages.MistakeIn(path) is { } mistake)
            return mistake.Length > 0 ? 0 : 1;
        _ = new ErrorPages().Find(path);
        return 2;
    }

    private static int ServerVersion(byte[] input) => RuntimeVersionCheck.Refusal(Given.Text(input)) is null ? 1 : 0;
}
