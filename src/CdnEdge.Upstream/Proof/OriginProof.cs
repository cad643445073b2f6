using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CdnEdge.Upstream.Peers;

namespace CdnEdge.Upstream.Proof;

/// <summary>
/// Proves to an origin that a request came through this CDN, so that it needn't answer anybody else: <c>CdnEdge-Proof: t=SECONDS; s=SIGNATURE</c>,
/// the HMAC-SHA256, in base64url, of method, authority, target and time. The origin takes none that is older than it likes.
/// </summary>
internal static class OriginProof
{
    internal const string Field = "CdnEdge-Proof";

    /// <summary>Writes the field, in place of what a visitor may have put there.</summary>
    /// <param name="request">The request, with its URI, and its Host where that's another.</param>
    /// <param name="key">In base64; null: nothing is proved to this origin.</param>
    /// <param name="now">The time.</param>
    internal static void Write(HttpRequestMessage request, string? key, DateTimeOffset now)
    {
        request.Headers.Remove(Field);
        if (key is null)
            return;
        var (authority, target) = PeerTarget.Of(request);
        var seconds = now.ToUnixTimeSeconds();
        var text = string.Create(CultureInfo.InvariantCulture, $"{request.Method.Method}\n{authority}\n{target}\n{seconds}");
        var signature = HMACSHA256.HashData(Convert.FromBase64String(key), Encoding.UTF8.GetBytes(text));
        request.Headers.TryAddWithoutValidation(Field, string.Create(CultureInfo.InvariantCulture, $"t={seconds}; s={Base64Url.EncodeToString(signature)}"));
    }
}
