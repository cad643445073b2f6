using System.Globalization;
using System.Text;
using CdnEdge.Caching;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Upstream.Peers;

/// <summary>
/// The field by which nodes of one CDN know each other: a dictionary (RFC 9651 §3.2), in requests
/// <c>path="lhr-1 fra-2", at=1764128807123, remaining=28000, sig=:base64:</c>, in responses
/// <c>from="fra-1", at=1764128807456, fetched=1234, sig=:base64:</c>. Times are in milliseconds, <c>at</c> since 1970.
/// </summary>
internal static class PeerField
{
    /// <summary>Its name.</summary>
    public const string Name = "CdnEdge-Peer";

    /// <summary>A path with more ids is no node's: see <see cref="PeeringOptions.MaxHops"/>.</summary>
    private const int MaxPath = 16;

    private const int MaxIdLength = 64;

    /// <summary>Bytes of a signature: HMAC-SHA256.</summary>
    internal const int SignatureBytes = 32;

    /// <summary>Whether a text can be a node's id.</summary>
    internal static bool IsId(string? text) =>
        text is { Length: >= 1 and <= MaxIdLength } && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>As the signature covers it, and as the field has it.</summary>
    internal static string Write(IEnumerable<string> path) => string.Join(' ', path);

    internal static string Request(string path, long at, long remaining, ReadOnlySpan<byte> signature) =>
        string.Create(CultureInfo.InvariantCulture, $"path=\"{path}\", at={at}, remaining={remaining}, sig=:{Convert.ToBase64String(signature)}:");

    internal static string Response(string from, long at, long fetched, ReadOnlySpan<byte> signature) =>
        string.Create(CultureInfo.InvariantCulture, $"from=\"{from}\", at={at}, fetched={fetched}, sig=:{Convert.ToBase64String(signature)}:");

    internal static bool TryReadRequest(StringValues lines, out string[] path, out long at, out long remaining, out byte[] signature)
    {
        (path, at, remaining, signature) = ([], 0, 0, []);
        if (!StructuredField.TryParseDictionary(lines, out var members)
            || !TryText(members, "path", out var text)
            || !TryNumber(members, "at", out at)
            || !TryNumber(members, "remaining", out remaining)
            || !TrySignature(members, out signature)
            || at < 0
            || remaining < 0)
        {
            return false;
        }

        path = text.Split(' ', MaxPath + 1);
        return path.Length <= MaxPath && Array.TrueForAll(path, IsId);
    }

    /// <summary>Whether <paramref name="fetched"/> can be true is left to the reader.</summary>
    internal static bool TryReadResponse(StringValues lines, out string from, out long at, out long fetched, out byte[] signature)
    {
        (from, at, fetched, signature) = ("", 0, 0, []);
        return StructuredField.TryParseDictionary(lines, out var members)
            && TryText(members, "from", out from)
            && TryNumber(members, "at", out at)
            && TryNumber(members, "fetched", out fetched)
            && TrySignature(members, out signature)
            && at >= 0
            && IsId(from);
    }

    /// <summary>The signature that a request of this node's own carries; null if there's none.</summary>
    internal static byte[]? SignatureOf(StringValues lines) =>
        StructuredField.TryParseDictionary(lines, out var members) && TrySignature(members, out var signature) ? signature : null;

    /// <summary>What a request's signature covers.</summary>
    internal static byte[] Text(string method, string authority, string target, long at, string path, long remaining) =>
        Utf8($"cdnedge-peer-request-1\n{method}\n{authority}\n{target}\n{at}\n{path}\n{remaining}\n");

    /// <summary>What a response's signature covers.</summary>
    internal static byte[] Text(ReadOnlySpan<byte> ofRequest, int status, string from, long at, long fetched) =>
        Utf8($"cdnedge-peer-response-1\n{Convert.ToHexString(ofRequest)}\n{status}\n{from}\n{at}\n{fetched}\n");

    private static byte[] Utf8(FormattableString text) => Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture));

    private static bool TryText(Dictionary<string, SfItem> members, string name, out string text)
    {
        text = members.TryGetValue(name, out var item) && item is { Kind: SfKind.String, Text: { } found } ? found : "";
        return text.Length > 0;
    }

    private static bool TryNumber(Dictionary<string, SfItem> members, string name, out long number)
    {
        var isNumber = members.TryGetValue(name, out var item) && item.Kind == SfKind.Integer;
        number = isNumber ? item.Number : 0;
        return isNumber;
    }

    private static bool TrySignature(Dictionary<string, SfItem> members, out byte[] signature)
    {
        signature = new byte[SignatureBytes];
        return members.TryGetValue("sig", out var item)
            && item.Kind == SfKind.ByteSequence
            && Convert.TryFromBase64String(item.Text!, signature, out var written)
            && written == SignatureBytes;
    }
}
