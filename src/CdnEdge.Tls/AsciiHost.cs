using System.Globalization;
using System.Text;

namespace CdnEdge.Tls;

/// <summary>
/// A host as DNS and certificates have it (RFC 5890 §2.3.2.1). .NET shows what clients ask for, in SNI and in Host, in Unicode.
/// </summary>
internal static class AsciiHost
{
    private static readonly IdnMapping Mapping = new();

    /// <summary>The host's A-labels; as it is, which is nobody's, where it has none.</summary>
    internal static string Of(string host)
    {
        if (Ascii.IsValid(host))
            return host;
        try
        {
            return Mapping.GetAscii(host.ToLowerInvariant());
        }
        catch (ArgumentException)
        {
            return host;
        }
    }
}
