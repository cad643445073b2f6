using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Upstream.Peers;

/// <summary>
/// Signs and checks what nodes of one CDN ask and answer each other, by a key that all of them have (HMAC-SHA256). A request's
/// signature covers who asks for what, when, and by which way it came; a response's covers that request's, its status, and how
/// long ago the origin was asked.
/// </summary>
/// <remarks>
/// Not covered: other fields, and bodies. Who can change what passes between two nodes is kept away by TLS, as everywhere; the
/// signature says that the other side is one of us.
/// </remarks>
internal sealed class PeerAuthentication
{
    /// <summary>Bytes of a key.</summary>
    internal const int KeyBytes = 32;

    /// <summary>Nothing is kept for longer: what claims to be older is wrong.</summary>
    internal static readonly TimeSpan MaxAge = TimeSpan.FromDays(366);

    /// <summary>More than anybody waits (<see cref="TimeoutOptions.Total"/>).</summary>
    internal static readonly TimeSpan MaxRemaining = TimeSpan.FromHours(1);

    private readonly TimeProvider _time;
    private readonly byte[]? _key;
    private readonly byte[]? _previousKey;
    private readonly TimeSpan _maxSkew;
    private readonly int _maxHops;

    /// <summary>Takes options without mistakes (<see cref="PeeringOptionsValidation"/>).</summary>
    /// <exception cref="FormatException">A key isn't 32 bytes in base64.</exception>
    public PeerAuthentication(PeeringOptions options, TimeProvider time)
    {
        _time = time;
        Id = options.Id;
        _maxSkew = options.MaxClockSkew;
        _maxHops = options.MaxHops;
        if (options.Key is not null)
        {
            _key = KeyOf(options.Key);
            _previousKey = options.PreviousKey is { } previous ? KeyOf(previous) : null;
        }
    }

    /// <summary>There's a key: this node asks and answers others. Without one it knows no peers.</summary>
    public bool IsEnabled => _key is not null;

    /// <summary>This node's name among the nodes.</summary>
    public string Id { get; }

    /// <summary>
    /// Signs a request to another node, in place of what may stand in its field. To be called when the request is about to be sent,
    /// for each node that it's sent to: it covers authority and time.
    /// </summary>
    /// <param name="request">The request, with its URI, and its Host where that's another.</param>
    /// <param name="cameThrough">The ids of the nodes that it came through to this one: <see cref="PeerRequest.Path"/>, none for a visitor's.</param>
    /// <param name="remaining">How long this node still waits for the answer; an infinite time counts as <see cref="MaxRemaining"/>.</param>
    /// <exception cref="InvalidOperationException">There's no key.</exception>
    public void Sign(HttpRequestMessage request, IReadOnlyList<string> cameThrough, TimeSpan remaining)
    {
        var key = _key ?? throw new InvalidOperationException("Without a key (CdnEdge:Peering:Key) no node can be asked.");
        var (authority, target) = PeerTarget.Of(request);
        var path = PeerField.Write(cameThrough.Append(Id));
        var at = Now;
        var left = Milliseconds(remaining == Timeout.InfiniteTimeSpan || remaining > MaxRemaining ? MaxRemaining : remaining);
        var signature = HMACSHA256.HashData(key, PeerField.Text(request.Method.Method, authority, target, at, path, left));
        request.Headers.Remove(PeerField.Name);
        request.Headers.TryAddWithoutValidation(PeerField.Name, PeerField.Request(path, at, left, signature));
        PeerRequestId.AddTo(request);
    }

    /// <summary>What a request is; <paramref name="peer"/> is set where it's <see cref="PeerVerdict.Accepted"/>. Without a key there are no peers.</summary>
    public PeerVerdict Verify(HttpRequest request, out PeerRequest? peer)
    {
        peer = null;
        if (_key is null || !request.Headers.TryGetValue(PeerField.Name, out var lines))
            return PeerVerdict.NotAPeer;

        if (!PeerField.TryReadRequest(lines, out var path, out var at, out var remaining, out var signature) || remaining > MaxRemaining.TotalMilliseconds)
            return PeerVerdict.Malformed;

        var (authority, target) = PeerTarget.Of(request);
        if (KeyThatMade(signature, PeerField.Text(request.Method, authority, target, at, PeerField.Write(path), remaining)) is not { } isPrevious)
            return PeerVerdict.BadSignature;
        if (IsOff(at))
            return PeerVerdict.ClockOff;
        if (path.Contains(Id, StringComparer.OrdinalIgnoreCase))
            return PeerVerdict.LoopsBack;
        if (path.Length > _maxHops)
            return PeerVerdict.TooManyHops;

        peer = new PeerRequest(path, TimeSpan.FromMilliseconds(remaining), signature)
        {
            Arrival = _time.GetTimestamp(),
            IsOfPreviousKey = isPrevious,
        };
        return PeerVerdict.Accepted;
    }

    /// <summary>The field of the response to <paramref name="peer"/>, made when its head is about to be sent.</summary>
    /// <param name="peer">The request.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="fetchedBefore">How long before the request came the origin had been asked for what is answered, at most; negative counts as none.</param>
    public string SignResponse(PeerRequest peer, int status, TimeSpan fetchedBefore)
    {
        var at = Now;
        // Up to the next millisecond: never younger than it is.
        var fetched = (long)Math.Ceiling(Math.Max(0, fetchedBefore.TotalMilliseconds));
        var key = peer.IsOfPreviousKey ? _previousKey : _key;
        var signature = HMACSHA256.HashData(key!, PeerField.Text(peer.Signature.Span, status, Id, at, fetched));
        return PeerField.Response(Id, at, fetched, signature);
    }

    /// <summary>
    /// Whether what came is another node's answer to this very request. If so the field is gone from it afterwards: it's no
    /// client's, and nothing to store.
    /// </summary>
    /// <param name="request">The request, as <see cref="Sign"/> left it.</param>
    /// <param name="response">The response.</param>
    /// <param name="fetchedBefore">How long ago, when the response was sent, the fetch of what it answers with began.</param>
    /// <param name="fault">What is wrong where it's false.</param>
    public bool TryVerify(HttpRequestMessage request, HttpResponseMessage response, out TimeSpan fetchedBefore, out PeerFault fault)
    {
        fetchedBefore = default;
        fault = Examine(request, response, out var fetched);
        if (fault != PeerFault.None)
            return false;

        fetchedBefore = TimeSpan.FromMilliseconds(fetched);
        response.Headers.Remove(PeerField.Name);
        return true;
    }

    private PeerFault Examine(HttpRequestMessage request, HttpResponseMessage response, out long fetched)
    {
        fetched = 0;
        var lines = Lines(response.Headers, PeerField.Name);
        if (lines.Count == 0)
            return PeerFault.Unsigned;
        if (!PeerField.TryReadResponse(lines, out var from, out var at, out fetched, out var signature))
            return PeerFault.Malformed;
        if (PeerField.SignatureOf(Lines(request.Headers, PeerField.Name)) is not { } ofRequest
            || KeyThatMade(signature, PeerField.Text(ofRequest, (int)response.StatusCode, from, at, fetched)) is null)
        {
            return PeerFault.BadSignature;
        }

        if (IsOff(at))
            return PeerFault.ClockOff;
        if (from.Equals(Id, StringComparison.OrdinalIgnoreCase))
            return PeerFault.OwnId;
        if (fetched < 0 || fetched > MaxAge.TotalMilliseconds)
            return PeerFault.BadFetchTime;
        return IsAge(Lines(response.Headers, "Age")) ? PeerFault.None : PeerFault.BadAge;
    }

    /// <summary>Whether it was this node's key or the one before (true); null: neither. Takes as long for a wrong one as for a right one.</summary>
    private bool? KeyThatMade(ReadOnlySpan<byte> signature, byte[] text)
    {
        if (_key is null)
            return null;
        if (CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(_key, text), signature))
            return false;
        return _previousKey is not null && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(_previousKey, text), signature) ? true : null;
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private bool IsOff(long at) => Math.Abs(Now - at) > _maxSkew.TotalMilliseconds;

    // A cache takes what it can of a bad Age (RFC 9111 §4.2.3); a node of one's own that sends one isn't to be believed in anything.
    private static bool IsAge(StringValues lines) =>
        lines.Count == 0
        || (lines is [{ Length: > 0 and <= 10 } line]
            && long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds <= MaxAge.TotalSeconds);

    private static StringValues Lines(System.Net.Http.Headers.HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? new StringValues([.. values]) : default;

    private static long Milliseconds(TimeSpan duration) => duration > TimeSpan.Zero ? (long)duration.TotalMilliseconds : 0;

    private static byte[] KeyOf(string text) =>
        TryReadKey(text) ?? throw new FormatException("A key of CdnEdge:Peering isn't 32 bytes in base64 (openssl rand -base64 32).");

    /// <summary>Null: it isn't 32 bytes in base64.</summary>
    internal static byte[]? TryReadKey(string text)
    {
        var key = new byte[KeyBytes];
        return text.Length <= 2 * KeyBytes && Convert.TryFromBase64String(text, key, out var written) && written == KeyBytes ? key : null;
    }
}
