using System.Net.Quic;

namespace CdnEdge.Tls;

/// <summary>Whether this machine has what HTTP/3 takes.</summary>
internal static class Http3Support
{
    /// <summary>What to say where it hasn't.</summary>
    internal const string Missing =
        "this machine has no libmsquic 2.2 or later (the package libmsquic of packages.microsoft.com or of Alpine; Debian has none), or no TLS 1.3; HTTP/1.1 and HTTP/2 are served";

    internal static bool IsAvailable =>
        (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows()) && QuicListener.IsSupported;
}
