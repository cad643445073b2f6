using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CdnEdge.Tls;

/// <summary>Certificates and keys as PEM files hold them (RFC 7468).</summary>
internal static class PemFiles
{
    private const string Begin = "-----BEGIN ";
    private const string End = "-----END ";

    /// <summary>A reading failed because of what the files are.</summary>
    internal static bool IsMistakeInFile(Exception e) =>
        e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or NotSupportedException;

    /// <summary>A certificate with its key, and the chain that stands behind it in its file.</summary>
    /// <param name="certificateFile">The certificate and, after it, those up to the root.</param>
    /// <param name="keyFile">Its key. Null: in the same file.</param>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">A file isn't what it should be, or is half written.</exception>
    /// <exception cref="ArgumentException">The key is another certificate's.</exception>
    /// <exception cref="NotSupportedException">The key is on a curve that this machine doesn't know.</exception>
    internal static (X509Certificate2 Certificate, X509Certificate2Collection Chain) ReadPair(string certificateFile, string? keyFile)
    {
        var chainText = ReadWhole(certificateFile);
        var certificate = X509Certificate2.CreateFromPem(chainText, keyFile is null ? chainText : ReadWhole(keyFile));
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(chainText);
        return (certificate, chain);
    }

    /// <summary>The certificates of authorities, at least one.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="CryptographicException">It isn't what it should be, or is half written.</exception>
    internal static X509Certificate2Collection ReadAuthorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(ReadWhole(file));
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"{file} holds no certificate");
    }

    // PEM readers skip what has no end: a chain of which half is written would go out without its other half.
    private static string ReadWhole(string file)
    {
        var text = File.ReadAllText(file);
        var (begun, ended) = (text.AsSpan().Count(Begin), text.AsSpan().Count(End));
        if (begun == 0)
            throw new CryptographicException($"{file} holds nothing in PEM (-----BEGIN ...)");
        return begun == ended ? text : throw new CryptographicException($"{file} is half written: {begun} blocks begin and {ended} end in it");
    }
}
