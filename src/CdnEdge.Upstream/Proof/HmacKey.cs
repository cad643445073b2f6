namespace CdnEdge.Upstream.Proof;

/// <summary>Keys for HMAC-SHA256 as they stand in a configuration: in base64.</summary>
internal static class HmacKey
{
    /// <summary>As many bytes as come out: fewer would weaken it (RFC 2104 §3).</summary>
    private const int MinBytes = 32;

    /// <summary>What is wrong with a key, without showing it; null: nothing.</summary>
    internal static string? MistakeIn(string key)
    {
        var bytes = new byte[key.Length];
        return Convert.TryFromBase64String(key, bytes, out var length) && length >= MinBytes
            ? null
            : $"is not a key of at least {MinBytes} bytes in base64; 'openssl rand -base64 32' prints one";
    }
}
