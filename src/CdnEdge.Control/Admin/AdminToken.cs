using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CdnEdge.Control;

/// <summary>Tokens of the admin API and their hashes.</summary>
/// <remarks>
/// A token is 256 random bits. Passwords are hashed slowly and with salt because people choose from few of them; nobody can
/// try 2^256, so one pass of SHA-256 is as good here, and a call doesn't cost 100 ms of the processor.
/// </remarks>
internal static class AdminToken
{
    private const string Prefix = "cdnedge_";
    private const string HashPrefix = "sha256:";
    private const int RandomBytes = 32;

    /// <summary>A new one: <c>cdnedge_</c>, for those who scan for leaked secrets, and 43 characters of base64url.</summary>
    internal static string New() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>Whether it can be one of ours: long enough to be what <see cref="New"/> makes.</summary>
    internal static bool IsPlausible(string token) => token.Length is >= 32 and <= 256 && Ascii.IsValid(token);

    /// <summary><c>sha256:</c> and 64 hexadecimal digits.</summary>
    internal static string HashOf(string token) => HashPrefix + Convert.ToHexStringLower(Digest(token));

    internal static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    internal static bool TryReadHash(string text, out byte[] digest)
    {
        digest = [];
        if (!text.StartsWith(HashPrefix, StringComparison.OrdinalIgnoreCase) || text.Length != HashPrefix.Length + 2 * SHA256.HashSizeInBytes)
            return false;
        var hex = text.AsSpan(HashPrefix.Length);
        foreach (var c in hex)
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
        }

        digest = Convert.FromHexString(hex);
        return true;
    }
}
