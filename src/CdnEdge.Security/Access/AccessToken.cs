using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CdnEdge.Security;

/// <summary>
/// A token: <c>EXPIRES.KEY.SCOPE.SIGNATURE</c>, where EXPIRES is in seconds since 1970, KEY the id of the key that signed it, SCOPE <c>url</c>, or a
/// beginning of paths in base64url, and SIGNATURE the HMAC-SHA256 of all that and the host, and for <c>url</c> the whole target, in base64url.
/// </summary>
internal readonly record struct AccessToken(long Expires, string KeyId, string? Prefix, byte[] Signature)
{
    private const string UrlScope = "url";

    /// <summary>Makes one.</summary>
    /// <param name="keyId">The key's id.</param>
    /// <param name="key">The key.</param>
    /// <param name="expires">When it runs out.</param>
    /// <param name="host">The host that it's for (<see cref="SiteTable.NameOf"/>).</param>
    /// <param name="prefix">The beginning of the paths that it's for; null: for <paramref name="target"/> alone.</param>
    /// <param name="target">Path and query.</param>
    internal static string Sign(string keyId, byte[] key, DateTimeOffset expires, string host, string? prefix, string target)
    {
        var seconds = expires.ToUnixTimeSeconds();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{seconds}.{keyId}.{Scope(prefix)}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Text(host, prefix is null ? target : "", seconds, keyId, Scope(prefix))))}");
    }

    internal static bool TryParse(string text, out AccessToken token)
    {
        token = default;
        var parts = text.Split('.');
        if (parts.Length != 4
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            || !TryDecode(parts[3], out var signature))
        {
            return false;
        }

        string? prefix = null;
        if (parts[2] != UrlScope)
        {
            if (!TryDecode(parts[2], out var bytes))
                return false;
            prefix = Encoding.UTF8.GetString(bytes);
        }

        token = new AccessToken(expires, parts[1], prefix, signature);
        return true;
    }

    /// <summary>Whether this key made it, for this host and (where it's for one URL) this target.</summary>
    internal bool IsBy(byte[] key, string host, string target) =>
        CryptographicOperations.FixedTimeEquals(Signature, HMACSHA256.HashData(key, Text(host, Prefix is null ? target : "", Expires, KeyId, Scope(Prefix))));

    private static string Scope(string? prefix) => prefix is null ? UrlScope : Base64Url.EncodeToString(Encoding.UTF8.GetBytes(prefix));

    private static byte[] Text(string host, string target, long expires, string keyId, string scope) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cdnedge-token\n{host}\n{target}\n{expires}\n{keyId}\n{scope}"));

    private static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = [];
        if (!Base64Url.IsValid(text))
            return false;
        bytes = Base64Url.DecodeFromChars(text);
        return true;
    }
}
